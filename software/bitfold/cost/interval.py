"""Initiation interval: cycles from one frame to the next when every stage is kept busy.

cycles of a product = pixels * ceil(MH/PE) * ceil(MW/SIMD) * ceil(Wb/WP) * ceil(Ab/AP), so a bit
saved is a cycle saved; the slowest stage decides. `schedule` has the exact latencies.
"""

from functools import singledispatch

from bitfold.cost.shape import Folding, LayerShape
from bitfold.cost.stages import (
    AxisIn,
    AxisOut,
    Fork,
    Gather,
    Join,
    Pad,
    Pool,
    Stage,
    Upscale,
    Window,
)
from bitfold.cost.units import Mvtu, Vvau


@singledispatch
def stage_cycles(stage: object) -> int:
    """Cycles that a stage is busy with one frame."""
    raise TypeError(f"no cycle formula for {type(stage).__name__}")


@stage_cycles.register
def _(stage: AxisIn) -> int:
    return stage.out_beats


@stage_cycles.register
def _(stage: Window) -> int:
    read = stage.out_height * stage.out_width * stage.window_beats
    return max(read, stage.height * stage.width * stage.beats)


@stage_cycles.register
def _(stage: Mvtu) -> int:
    return stage.pixels * max(stage.vector_cycles, stage.in_beats, stage.out_beats)


@stage_cycles.register
def _(stage: Vvau) -> int:
    return stage.pixels * stage.vector_cycles


@stage_cycles.register
def _(stage: Fork) -> int:
    return stage.pixels * stage.beats


@stage_cycles.register
def _(stage: Join) -> int:
    return stage.pixels * sum(stage.beats)


@stage_cycles.register
def _(stage: Pool) -> int:
    return stage.pixels * stage.positions * stage.beats


@stage_cycles.register
def _(stage: Pad) -> int:
    return stage.out_height * stage.out_width * stage.beats


@stage_cycles.register
def _(stage: Upscale) -> int:
    return stage.height * stage.width * stage.block * stage.out_beats


@stage_cycles.register
def _(stage: Gather) -> int:
    return stage.pixels * stage.beats


@stage_cycles.register
def _(stage: AxisOut) -> int:
    return stage.outputs


def interval(stages: tuple[Stage, ...]) -> int:
    """Cycles between frames: those of the busiest stage."""
    return max(stage_cycles(stage) for stage in stages)


def layer_cycles(shape: LayerShape, folding: Folding, w_bits: int, a_bits: int) -> int:
    """Cycles of a layer's product in one frame at the given bits."""
    steps = -(-w_bits // folding.wp) * -(-a_bits // folding.ap)
    return shape.pixels * -(-shape.outputs // folding.pe) * -(-shape.inputs // folding.simd) * steps
