"""LUTs, FFs and block RAMs of a stage: structure times coefficients fitted from synthesis.

A stage's structure gives its features (lanes, accumulator bits, memory LUTs ...); a target's TOML
gives LUTs and FFs per feature, fitted by `bitfold calibrate`, and says which memories become block
RAM.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from importlib.resources import files
from math import ceil, log2
from typing import Any, final

from bitfold.cost.schedule_mvtu import held_vectors
from bitfold.cost.shape import Folding, LayerShape
from bitfold.cost.stages import AxisIn, AxisOut, Mvtu, Pool, Stage, Window
from bitfold.errors import ConfigError

Features = Mapping[str, float]


@final
@dataclass(frozen=True, kw_only=True)
class Target:
    """What a family of FPGAs makes of the features. LUTs, FFs per feature, block RAM geometry."""

    name: str
    luts: Mapping[str, float]
    ffs: Mapping[str, float]
    ram_depth: int  # words in one LUT RAM cell
    ram_luts_per_bit: float  # LUTs of one cell over its width
    rom_depth: int  # words of one LUT as a ROM
    block_unit: float  # what a block of 18 kbit counts in the data sheet
    block_from_rom: int  # a constant memory goes to block RAM if it fills each with so many bits
    block_from_ram: int  # the same for one that is written
    fit: Mapping[str, Any]  # date, tool, samples, error


def target_names() -> tuple[str, ...]:
    """Targets that have a table."""
    folder = files("bitfold.cost") / "targets"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


@lru_cache
def read_target(name: str) -> Target:
    """The table of a target. Raises: ConfigError naming those there are."""
    if name not in target_names():
        raise ConfigError(f"target {name!r} is unknown; there are: {', '.join(target_names())}")
    text = (files("bitfold.cost") / "targets" / f"{name}.toml").read_text()
    return Target(name=name, **tomllib.loads(text))


@final
@dataclass(frozen=True, kw_only=True)
class Memory:
    """`count` memories of depth x width bits; writable ones cannot become constant logic."""

    depth: int
    width: int
    writable: bool
    count: int = 1
    block: bool = True  # may become block RAM


def stage_luts(stage: Stage, target: Target) -> float:
    """Predicted LUTs."""
    return sum(target.luts[name] * amount for name, amount in features(stage, target).items())


def stage_ffs(stage: Stage, target: Target) -> float:
    """Predicted flip-flops."""
    return sum(target.ffs[name] * amount for name, amount in features(stage, target).items())


def stage_brams(stage: Stage, target: Target) -> float:
    """Predicted block RAMs, in the unit of the target's data sheet."""
    return target.block_unit * sum(block_rams(memory, target) for memory in memories(stage))


def block_rams(memory: Memory, target: Target) -> int:
    """Blocks of 18 kbit that the memories take; 0 if they stay in LUTs.

    Synthesis takes blocks only where each is filled well enough.
    """
    # Parity bits are data in the wide shapes: 36 x 512, 18 x 1024, 9 x 2048, 4 x 4096 ...
    shapes = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
    width, depth = next((s for s in shapes if s[1] >= memory.depth), shapes[-1])
    blocks = ceil(memory.width / width) * ceil(memory.depth / depth)
    least = target.block_from_ram if memory.writable else target.block_from_rom
    if not memory.block or memory.depth * memory.width < least * blocks:
        return 0
    return memory.count * blocks


def memory_luts(memory: Memory, target: Target) -> float:
    """LUTs of a memory that stays out of block RAM."""
    if block_rams(memory, target):
        return 0.0
    if memory.writable:
        cells = ceil(memory.depth / target.ram_depth) * memory.width
        return memory.count * cells * target.ram_luts_per_bit
    return memory.count * memory.width * max(memory.depth / target.rom_depth, 0.5)


def features(stage: Stage, target: Target) -> Features:
    """Feature name -> amount; every name has a coefficient in the target's table."""
    kept = memories(stage)
    return {
        **_features(stage),
        "ram_lut": sum(memory_luts(m, target) for m in kept if m.writable),
        "rom_lut": sum(memory_luts(m, target) for m in kept if not m.writable),
    }


@singledispatch
def memories(stage: object) -> tuple[Memory, ...]:
    """Memories of a stage."""
    raise TypeError(f"no memory formula for {type(stage).__name__}")


@singledispatch
def _features(stage: object) -> Features:
    raise TypeError(f"no LUT formula for {type(stage).__name__}")


def _bits(n: int) -> int:
    return max(1, ceil(log2(n + 1)))


@memories.register
def _(stage: AxisIn) -> tuple[Memory, ...]:
    return ()


@_features.register
def _(stage: AxisIn) -> Features:
    return {"axis_in": 1, "axis_in_bit": stage.group * stage.planes}


@memories.register
def _(stage: Window) -> tuple[Memory, ...]:
    depth = stage.rows * stage.width * stage.beats
    return (Memory(depth=depth, width=stage.group, writable=True),)


@_features.register
def _(stage: Window) -> Features:
    address = _bits(stage.rows * stage.width * stage.beats)
    return {"window": 1, "window_address_bit": address, "window_bit": stage.group}


@memories.register
def _(stage: Mvtu) -> tuple[Memory, ...]:
    fold = stage.folding
    af, wf = ceil(stage.planes / fold.ap), ceil(stage.w_planes / fold.wp)
    found = [
        Memory(depth=stage.nf * wf * stage.sf, width=fold.pe * fold.simd * fold.wp, writable=False),
        Memory(depth=2 * stage.sf * af, width=fold.simd * fold.ap, writable=True),
        Memory(
            depth=held_vectors(stage, 0) * stage.out_beats,
            width=_word(stage),
            writable=True,
            block=False,
        ),
    ]
    if not stage.final:
        rounds = fold.pe // stage.tpe
        found.append(
            Memory(
                depth=stage.nf * rounds << stage.out_bits,
                width=stage.acc_width + 1,
                writable=False,
                count=stage.tpe,
            )
        )
    return tuple(found)


def _word(stage: Mvtu) -> int:
    return stage.folding.pe * stage.acc_width if stage.final else stage.tpe


@_features.register
def _(stage: Mvtu) -> Features:
    fold = stage.folding
    products = fold.pe * fold.wp * fold.ap
    shared = not stage.final and stage.tpe < fold.pe
    return {
        "mvtu": 1,
        "lane": fold.lanes,
        "product": products,
        "combine_bit": (products - fold.pe) * _bits(fold.simd),
        "acc_bit": fold.pe * stage.acc_width,
        "bipolar_bit": fold.pe * fold.ap * _bits(fold.simd) if stage.w_bipolar else 0,
        "compare_bit": 0 if stage.final else stage.tpe * (stage.acc_width + 1),
        "share_bit": fold.pe * stage.acc_width if shared else 0,
        "final_bit": fold.pe * stage.acc_width if stage.final else 0,
    }


@memories.register
def _(stage: Pool) -> tuple[Memory, ...]:
    return (
        Memory(depth=stage.beats, width=stage.group, writable=True, block=False),
        Memory(depth=2 * stage.beats, width=stage.group, writable=True, block=False),
    )


@_features.register
def _(stage: Pool) -> Features:
    return {"pool": 1, "pool_bit": stage.group}


@memories.register
def _(stage: AxisOut) -> tuple[Memory, ...]:
    return ()


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
    )
    return stage_luts(stage, read_target(target))
