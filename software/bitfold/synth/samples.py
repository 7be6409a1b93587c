"""Stages synthesised one by one: what `bitfold calibrate` fits the LUT model to."""

from pathlib import Path

import numpy as np

from bitfold.compiler.emit import emit_alone
from bitfold.compiler.emit_modes import control_instances
from bitfold.compiler.instances import instance_of
from bitfold.compiler.layers import LayerModes
from bitfold.compiler.memories import Codes, pack_channel_images, pack_images, pack_mode_images
from bitfold.cost.calibrate import Sample
from bitfold.cost.luts import Part
from bitfold.cost.units import ModeControl, Mvtu, Vvau
from bitfold.hardware import needed_files
from bitfold.ir import Ints
from bitfold.synth.flow import synth_source
from bitfold.synth.source import Source
from bitfold.synth.target import load_target
from bitfold.synth.usage import Utilisation

# A ripple of majorities. Yosys maps the slowest path of what it maps for speed and all else for
# area; in an accelerator that is flattened before, nearly every stage is "all else".
_SLOW = """
module bf_slow (input logic clk_i, input logic slow_i, output logic slow_o);
  logic [23:0] x_q, y_q;
  logic [24:0] carry;
  assign carry[0] = y_q[23];
  for (genvar i = 0; i < 24; i++) begin : g_step
    assign carry[i+1] = (carry[i] & x_q[i]) | (carry[i] & y_q[i]) | (x_q[i] & y_q[i]);
  end
  always_ff @(posedge clk_i) begin
    x_q    <= {x_q[22:0], slow_i};
    y_q    <= {y_q[22:0], x_q[23]};
    slow_o <= carry[24];
  end
endmodule
"""
_ALONE = """module bf_stage (
  input logic clk_i
);
endmodule
"""


def synthesise_stage(stage: Part, target: str, rtl: Path, cache: Path) -> Sample:
    """LUTs and FFs of the stage's module alone, with random weights and thresholds of its shape.

    Where Yosys maps designs in one piece, that is beside a slow path, whose area is taken off.
    rtl: folder of the modules. cache: builds are kept there and reused.
    Raises: ToolNotFound, ToolFailed.
    """
    files = {f"rtl/{p.name}": p.read_bytes() for p in needed_files(rtl, *_modules(stage, target))}
    text, images = emit_alone(stage, target), _random_images(stage)
    if load_target(target).flatten_late:
        found = _totals(text, files, images, target, cache)
        return Sample(stage=stage, luts=found.luts, ffs=found.ffs)
    found = _totals(_beside(text), files, images, target, cache)
    slow = _totals(_beside(_ALONE), {}, {}, target, cache)
    return Sample(stage=stage, luts=found.luts - slow.luts, ffs=found.ffs - slow.ffs)


def _totals(
    text: str, files: dict[str, bytes], images: dict[str, str], target: str, cache: Path
) -> Utilisation:
    """What synthesis makes of `text`, a module bf_stage, with the modules and images it needs."""
    source = Source(
        top="bf_stage",
        rtl=files | {"rtl/bf_stage.sv": text.encode()},
        data={name: image.encode() for name, image in images.items()},
        parameters={},
    )
    return synth_source(source, target, cache, place=False, tree=False).totals


def _beside(text: str) -> str:
    """The module bf_stage with the slow path in it."""
    ports = "module bf_stage (\n  input logic slow_i,\n  output logic slow_o,\n"
    body = text.replace("module bf_stage (\n", ports, 1).removesuffix("endmodule\n")
    return f"{body}  bf_slow i_slow (.clk_i, .slow_i, .slow_o);\nendmodule\n{_SLOW}"


def _modules(stage: Part, target: str) -> tuple[str, ...]:
    if isinstance(stage, ModeControl):
        return tuple(instance.module for instance, _ in control_instances(stage))
    return (instance_of(stage, target).module,)


def _random_images(stage: Part) -> dict[str, str]:
    rng = np.random.default_rng(0)
    match stage:
        case Mvtu():
            shape = (stage.outputs, stage.inputs)
            matrix = _weights(shape, stage.w_planes, stage.w_bipolar, rng)
            images = pack_images(stage, matrix, *_endings(stage, stage.outputs, rng))
            images |= pack_mode_images(stage, _modes(stage, stage.outputs, rng))
        case Vvau():
            width = stage.channels if stage.w_kind == 2 else 1
            weights = _weights((stage.positions, width), stage.w_bits, False, rng)
            given = weights if stage.w_kind else None
            images = pack_channel_images(stage, given, *_endings(stage, stage.channels, rng))
            images |= pack_mode_images(stage, _modes(stage, stage.channels, rng))
        case _:
            images = {}
    return {f"mem/{name}": text for name, text in images.items()}


def _weights(shape: tuple[int, int], bits: int, bipolar: bool, rng: np.random.Generator) -> Ints:
    if bipolar:
        return rng.integers(0, 2, shape) * 2 - 1
    # Trained weights crowd around zero.
    half = 1 << (bits - 1)
    drawn = rng.normal(0, max(0.6, half / 3), shape).round()
    return np.clip(drawn, -half, half - 1).astype(np.int64)


def _modes(stage: Mvtu | Vvau, channels: int, rng: np.random.Generator) -> LayerModes | None:
    """Thresholds or biases of each mode, all different."""
    if stage.modes is None:
        return None
    kept = stage.modes.kept
    drawn = [_endings(stage, channels, rng) for _ in kept]
    flips = tuple(rng.random(channels) < 0.5 for _ in kept) if stage.modes.flips else None
    return LayerModes(
        kept=kept,
        thresholds=None if stage.final else tuple(c for c, _ in drawn if isinstance(c, np.ndarray)),
        flips=flips,
        biases=tuple(b for _, b in drawn if b is not None) if stage.final else None,
    )


def _endings(
    stage: Mvtu | Vvau, channels: int, rng: np.random.Generator
) -> tuple[Codes | None, Ints | None]:
    """Thresholds, divisors or biases."""
    if stage.final:
        return None, rng.integers(-100, 101, channels)
    if stage.divider is not None:
        most = 1 << stage.divider.slope_bits
        offsets = rng.integers(-(most << 3), most << 3, channels)
        return (rng.integers(most // 2, most, channels), offsets), None
    assert stage.threshold_range is not None, stage
    least, greatest = stage.threshold_range
    steps = (1 << stage.out_bits) - 1
    return np.sort(rng.integers(least, greatest + 1, (channels, steps)), axis=1), None
