"""The streams between neighbouring stages: name, width, and beats of a frame."""

from dataclasses import dataclass
from functools import singledispatch
from typing import final

from bitfold.cost.stages import AxisIn, Gather, Mvtu, Pool, Stage, Window


@final
@dataclass(frozen=True, kw_only=True)
class Stream:
    """What leaves a stage: `width` bits a beat, `beats` a frame in vectors of `vector` beats."""

    name: str
    width: int
    beats: int
    vector: int


@singledispatch
def stream_of(stage: object) -> Stream:
    """The stream that a stage sends."""
    raise TypeError(f"{type(stage).__name__} sends no stream")


@stream_of.register
def _(stage: AxisIn) -> Stream:
    return Stream(name=stage.name, width=stage.group, beats=stage.out_beats, vector=stage.planes)


@stream_of.register
def _(stage: Window) -> Stream:
    windows = stage.out_height * stage.out_width
    return Stream(
        name=stage.name,
        width=stage.group,
        beats=windows * stage.window_beats,
        vector=stage.window_beats,
    )


@stream_of.register
def _(stage: Mvtu) -> Stream:
    width = stage.folding.pe * stage.acc_width if stage.final else stage.tpe
    return Stream(
        name=stage.name, width=width, beats=stage.pixels * stage.out_beats, vector=stage.out_beats
    )


@stream_of.register
def _(stage: Pool) -> Stream:
    return Stream(
        name=stage.name, width=stage.group, beats=stage.pixels * stage.beats, vector=stage.beats
    )


@stream_of.register
def _(stage: Gather) -> Stream:
    words = stage.pixels * stage.words
    return Stream(name=stage.name, width=stage.group * stage.width, beats=words, vector=1)


def streams(stages: tuple[Stage, ...]) -> tuple[Stream, ...]:
    """Streams of a chain, in order; the last stage sends none."""
    return tuple(stream_of(stage) for stage in stages[:-1])
