"""Stages that `bitfold calibrate` synthesises: their figures tell the features of `luts` apart."""

from collections.abc import Iterator

from bitfold.cost.grid_units import units
from bitfold.cost.luts import Part
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


def grid() -> Iterator[Part]:
    """Sizes as small networks have them."""
    yield from _streams()
    yield from _maps()
    yield from moves()
    yield from _branches()
    yield from units()


def _streams() -> Iterator[Stage]:
    """Both ends."""
    for group, planes in ((1, 5), (3, 8), (4, 4)):
        yield AxisIn(name="axis_in", group=group, planes=planes, beats=64)
    for group, width in ((1, 16), (4, 20), (10, 14)):
        yield AxisOut(name="axis_out", group=group, width=width, outputs=10 if group != 4 else 12)
    for group, planes, words in ((1, 4, 10), (2, 4, 16), (4, 3, 4), (8, 2, 2)):
        yield Gather(
            name="gather", group=group, planes=planes, words=words, bipolar=False, pixels=4
        )


def _maps() -> Iterator[Stage]:
    """Line buffers in LUTs and in block RAM, and pools."""
    for group, beats, size, kernel, stride, pad in (
        (1, 4, 8, 3, 1, 1),
        (1, 32, 8, 2, 2, 0),
        (2, 4, 8, 3, 1, 1),
        (4, 12, 8, 2, 2, 0),
        (4, 16, 8, 3, 1, 1),
        (8, 6, 16, 3, 1, 1),
        (16, 4, 8, 3, 1, 1),
        (1, 192, 12, 3, 1, 0),
        (4, 16, 24, 3, 1, 0),
        (2, 96, 5, 3, 1, 0),
        (8, 24, 14, 3, 2, 1),
        (2, 16, 20, 5, 1, 2),
        (1, 64, 12, 1, 1, 0),
        (4, 16, 8, 1, 1, 0),
        (8, 20, 16, 1, 2, 0),
    ):
        yield Window(
            name="window",
            group=group,
            beats=beats,
            planes=2,
            height=size,
            width=size,
            kernel=(kernel, kernel),
            stride=(stride, stride),
            pads=(pad,) * 4,
        )
    for group, beats in ((1, 32), (1, 128), (2, 16), (4, 12), (8, 8)):
        yield Pool(
            name="pool", group=group, beats=beats, planes=4, signed=False, positions=4, pixels=16
        )


def moves() -> Iterator[Stage]:
    """Padded and upscaled maps."""
    for group, beats, size, pads in (
        (1, 8, 8, (1, 1, 1, 1)),
        (2, 12, 14, (0, 0, 1, 1)),
        (4, 4, 8, (2, 2, 2, 2)),
        (8, 8, 28, (1, 1, 1, 1)),
        (16, 3, 16, (0, 2, 0, 2)),
    ):
        yield Pad(name="pad", group=group, beats=beats, height=size, width=size, pads=pads)
    for group, beats, width, factor, split, run in (
        (1, 8, 8, 2, False, 8),
        (4, 12, 8, 2, False, 12),
        (8, 8, 16, 3, False, 8),
        (1, 36, 7, 3, True, 4),
        (1, 32, 8, 2, True, 2),
        (4, 16, 8, 2, True, 4),
        (8, 24, 16, 2, True, 6),
    ):
        yield Upscale(
            name="upscale",
            group=group,
            beats=beats,
            height=width,
            width=width,
            factor=(factor, factor),
            split=split,
            run=run,
        )


def _branches() -> Iterator[Stage]:
    """Where streams part and meet."""
    for width, beats, vectors in (
        (1, 48, (2, 2)),
        (4, 12, (2, 20)),
        (8, 8, (2, 2, 9)),
        (16, 4, (2, 80)),
    ):
        yield Fork(name="fork", width=width, beats=beats, pixels=64, vectors=vectors)
    parts: tuple[tuple[int, ...], ...] = ((48, 48), (12, 12), (8, 16, 4), (4, 4))
    for width, each in zip((1, 4, 8, 16), parts, strict=True):
        yield Join(name="join", width=width, beats=each, pixels=64, reads=())
