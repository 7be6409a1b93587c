"""LUTs, FFs and block RAMs of a stage: structure times coefficients fitted from synthesis.

A stage's structure gives its features (lanes, accumulator bits, memory LUTs ...); a target's TOML
gives LUTs and FFs per feature, fitted by `bitfold calibrate`, and the RAM cells that `memories`
chooses from.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from importlib.resources import files
from math import ceil, log2
from typing import Any, final

from bitfold.cost.memories import memories
from bitfold.cost.ram import RamCell, block_rams, memory_features
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
from bitfold.cost.units import DIVIDED_BITS, Divider, ModeControl, Mvtu, Vvau, usual_range
from bitfold.errors import ConfigError

Features = Mapping[str, float]
Part = Stage | ModeControl


@final
@dataclass(frozen=True, kw_only=True)
class Target:
    """What a family of FPGAs makes of the features.

    luts, ffs: per feature. rom_depth: words of one LUT as a ROM. rom_cost: see `memories.place`.
    fit:       date, tool, samples, error of the coefficients.
    """

    name: str
    luts: Mapping[str, float]
    ffs: Mapping[str, float]
    rom_depth: int
    rom_cost: float
    cells: tuple[RamCell, ...]
    fit: Mapping[str, Any]


def target_names() -> tuple[str, ...]:
    """Targets that have a table."""
    folder = files("bitfold.cost") / "targets"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


@lru_cache
def read_target(name: str) -> Target:
    """The table of a target. Raises: ConfigError naming those there are."""
    if name not in target_names():
        raise ConfigError(f"target {name!r} is unknown; there are: {', '.join(target_names())}")
    return parse_target(name, (files("bitfold.cost") / "targets" / f"{name}.toml").read_text())


def parse_target(name: str, text: str) -> Target:
    """A table from its TOML."""
    table = tomllib.loads(text)
    cells = tuple(RamCell(**{**c, "widths": tuple(c["widths"])}) for c in table.pop("cells"))
    return Target(name=name, cells=cells, **table)


def stage_luts(stage: Part, target: Target) -> float:
    """Predicted LUTs."""
    return sum(target.luts[name] * amount for name, amount in features(stage, target).items())


def stage_ffs(stage: Part, target: Target) -> float:
    """Predicted flip-flops."""
    return sum(target.ffs[name] * amount for name, amount in features(stage, target).items())


def stage_brams(stage: Part, target: Target) -> float:
    """Predicted block RAMs, in the unit of the target's data sheet."""
    return block_rams(memories(stage), target.cells, target.rom_cost)


def features(stage: Part, target: Target) -> Features:
    """Feature name -> amount; every name has a coefficient in the target's table."""
    kept = memory_features(memories(stage), target.cells, target.rom_cost, target.rom_depth)
    return {**_features(stage), **kept}


@singledispatch
def _features(stage: object) -> Features:
    raise TypeError(f"no LUT formula for {type(stage).__name__}")


def _bits(n: int) -> int:
    return max(1, ceil(log2(n + 1)))


def _address_bits(stage: Mvtu | Vvau) -> int:
    return sum(_bits(memory.depth - 1) for memory in memories(stage))


@_features.register
def _(stage: AxisIn) -> Features:
    return {"axis_in": 1, "axis_in_bit": stage.group * stage.planes}


@_features.register
def _(stage: Window) -> Features:
    address = _bits(stage.rows * stage.width * stage.beats)
    line = _bits(stage.kernel[1] * stage.beats)
    column = _bits((stage.width + stage.span[1]) * stage.beats)
    return {
        "window": 1,
        "window_rows": stage.kernel[0] > 1,
        "window_address_bit": address,
        "window_count_bit": line + column + _bits(stage.height + stage.rows),
        "window_pad": any(stage.pads),
        "window_bit": stage.group,
    }


@_features.register
def _(stage: Mvtu) -> Features:
    fold = stage.folding
    products = fold.pe * fold.wp * fold.ap
    shared = not stage.final and stage.tpe < fold.pe
    return {
        "mvtu": 1,
        "mvtu_address_bit": _address_bits(stage),
        "lane": fold.lanes,
        "product": products,
        "combine_bit": (products - fold.pe) * _bits(fold.simd),
        "acc_bit": fold.pe * stage.acc_width,
        "bipolar_bit": fold.pe * fold.ap * _bits(fold.simd) if stage.w_bipolar else 0,
        **_codes(stage),
        "share_bit": fold.pe * stage.acc_width if shared else 0,
        "final_bit": fold.pe * stage.acc_width if stage.final else 0,
        **_modes(stage, fold.pe),
    }


@_features.register
def _(stage: Vvau) -> Features:
    product = stage.planes + 1 + (stage.w_bits if stage.w_kind else 0)
    shared = not stage.final and stage.tpe < stage.group
    # One value a vector is a quantiser of its own: it gathers planes and adds nothing.
    sums = stage.positions > 1 or stage.w_kind > 0
    return {
        "vvau": 1,
        "vvau_address_bit": _address_bits(stage) + _bits(stage.positions - 1),
        "vvau_gather_bit": 0 if sums else stage.group * stage.planes,
        "vvau_product_bit": stage.group * product if sums else 0,
        "vvau_sum_bit": stage.group * stage.acc_width if sums else 0,
        **_codes(stage),
        "share_bit": stage.group * stage.acc_width if shared else 0,
        "final_bit": stage.group * stage.acc_width if stage.final else 0,
        **_modes(stage, stage.group),
    }


def _codes(stage: Mvtu | Vvau) -> Features:
    """What makes codes of accumulators, memories apart."""
    if stage.divider is not None:
        step = stage.divider.slope_bits + stage.out_bits - 2
        return {
            "divide_bit": stage.tpe * stage.divider.width,
            "divide_step_bit": stage.tpe * step,
        }
    codes = not (stage.final or stage.raw)
    return {"compare_bit": stage.tpe * (stage.acc_width + 1) if codes else 0}


def _modes(stage: Mvtu | Vvau, pe: int) -> Features:
    """What finds the mode of a frame, and what depends on it; memories apart."""
    if stage.modes is None:
        return {}
    modes = stage.modes
    width = (len(modes.kept) - 1).bit_length()
    product = isinstance(stage, Mvtu)  # knows the mode when a vector starts
    counts = [stage.pixels] * product + [stage.pixels * stage.nf] * (not stage.raw)
    return {
        "mode": len(counts),
        "mode_ring_bit": len(counts) * modes.ring * width,
        "mode_count_bit": sum(map(_bits, counts)),
        "mode_step": sum(stage.mode_steps) if isinstance(stage, Mvtu) else 0,
        "mode_mask_bit": stage.group * stage.w_bits if isinstance(stage, Vvau) else 0,
        "mode_final_bit": pe * stage.acc_width if stage.final else 0,
    }


@_features.register
def _(stage: ModeControl) -> Features:
    words = stage.modes * len(stage.layers) if stage.free else 0
    return {
        "control": 1,
        "control_ring_bit": stage.ring * stage.mode_bits,
        "control_choice": words,
        "control_choice_bit": words * stage.mode_bits,
    }


@_features.register
def _(stage: Fork) -> Features:
    address = sum(_bits(held * stage.beats) for held in stage.vectors)
    return {"fifo": len(stage.vectors), "fifo_address_bit": address}


@_features.register
def _(stage: Join) -> Features:
    return {
        "join": 1,
        "fifo": 1,
        "fifo_address_bit": _bits(2 * sum(stage.beats)),
        "join_bit": stage.width * len(stage.beats),
    }


@_features.register
def _(stage: Pool) -> Features:
    return {"pool": 1, "pool_bit": stage.group}


@_features.register
def _(stage: Pad) -> Features:
    place = _bits(stage.out_height) + _bits(stage.out_width)
    return {
        "pad": 1,
        "pad_place_bit": place,
        "pad_bit": stage.group,
        "fifo": 1,
        "fifo_address_bit": _bits(2 * stage.beats),
    }


@_features.register
def _(stage: Upscale) -> Features:
    address = _bits(2 * stage.width * stage.beats)
    return {"upscale": 1, "upscale_address_bit": address}


@_features.register
def _(stage: Gather) -> Features:
    return {
        "gather": 1,
        "gather_address_bit": _bits(2 * stage.words - 1),
        "gather_bit": stage.group * stage.planes,
    }


@_features.register
def _(stage: AxisOut) -> Features:
    return {"axis_out": 1, "axis_out_bit": stage.group * stage.width}


def layer_luts(shape: LayerShape, folding: Folding, w_bits: int, a_bits: int, target: str) -> float:
    """LUTs of a layer at the given bits, its input's thresholds and buffer counted with it.

    The thresholds counted are those that make this layer's own input (`a_bits` planes of its
    channels), so that a layer's cost depends on its own bits alone.
    """
    acc_bits = w_bits + a_bits + _bits(shape.inputs) - 1
    stage = Mvtu(
        name=shape.name,
        inputs=shape.inputs,
        outputs=shape.outputs,
        pixels=shape.pixels,
        group_in=folding.simd,
        planes=a_bits,
        act_signed=False,
        act_bipolar=False,
        w_planes=w_bits,
        w_bipolar=w_bits == 1,
        folding=folding,
        acc_width=acc_bits,
        out_bits=a_bits,
        out_signed=False,
        tpe=folding.pe,
        threshold_range=usual_range(acc_bits),
        divider=Divider.usual(acc_bits, a_bits) if a_bits >= DIVIDED_BITS else None,
    )
    return stage_luts(stage, read_target(target))
