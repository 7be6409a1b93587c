"""The streams between stages: name, width, and beats of a frame; and who reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import final

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


@final
@dataclass(frozen=True, kw_only=True)
class Stream:
    """What leaves a stage: `width` bits a beat, `beats` a frame in vectors of `vector` beats."""

    name: str
    width: int
    beats: int
    vector: int


@singledispatch
def streams_of(stage: object) -> tuple[Stream, ...]:
    """The streams that a stage sends: one a branch of a fork, else one with the stage's name."""
    raise TypeError(f"{type(stage).__name__} sends no stream")


def _one(name: str, width: int, vectors: int, vector: int) -> tuple[Stream]:
    return (Stream(name=name, width=width, beats=vectors * vector, vector=vector),)


@streams_of.register
def _(stage: AxisIn) -> tuple[Stream, ...]:
    return _one(stage.name, stage.group, stage.beats, stage.planes)


@streams_of.register
def _(stage: Window) -> tuple[Stream, ...]:
    windows = stage.out_height * stage.out_width
    return _one(stage.name, stage.group, windows, stage.window_beats)


@streams_of.register
def _(stage: Mvtu) -> tuple[Stream, ...]:
    width = stage.folding.pe * stage.acc_width if stage.final else stage.tpe
    return _one(stage.name, width, stage.pixels, stage.out_beats)


@streams_of.register
def _(stage: Vvau) -> tuple[Stream, ...]:
    width = stage.group * stage.acc_width if stage.final else stage.tpe
    return _one(stage.name, width, stage.pixels, stage.out_beats)


@streams_of.register
def _(stage: Pool) -> tuple[Stream, ...]:
    return _one(stage.name, stage.group, stage.pixels, stage.beats)


@streams_of.register
def _(stage: Pad) -> tuple[Stream, ...]:
    return _one(stage.name, stage.group, stage.out_height * stage.out_width, stage.beats)


@streams_of.register
def _(stage: Upscale) -> tuple[Stream, ...]:
    pixels = stage.height * stage.width * stage.block
    return _one(stage.name, stage.group, pixels, stage.out_beats)


@streams_of.register
def _(stage: Fork) -> tuple[Stream, ...]:
    return tuple(
        _one(branch_name(stage.name, k), stage.width, stage.pixels, stage.beats)[0]
        for k in range(len(stage.vectors))
    )


@streams_of.register
def _(stage: Join) -> tuple[Stream, ...]:
    return _one(stage.name, stage.width, stage.pixels, sum(stage.beats))


@streams_of.register
def _(stage: Gather) -> tuple[Stream, ...]:
    return _one(stage.name, stage.group * stage.width, stage.pixels * stage.words, 1)


@streams_of.register
def _(stage: AxisOut) -> tuple[Stream, ...]:
    return ()


def branch_name(fork: str, branch: int) -> str:
    """The stream of a fork's branch."""
    return f"{fork}_{branch}"


def streams(stages: tuple[Stage, ...]) -> tuple[Stream, ...]:
    """All streams between stages, in order of those that send them."""
    return tuple(stream for stage in stages for stream in streams_of(stage))


def reads_of(stages: tuple[Stage, ...]) -> Mapping[str, tuple[str, ...]]:
    """Stage name -> names of the streams it reads; none for the first."""
    found: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for stage in stages:
        own = () if isinstance(stage, AxisIn) else stage.reads
        found[stage.name] = own or before
        before = tuple(s.name for s in streams_of(stage))
    return found
