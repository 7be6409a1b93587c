"""Stages that `bitfold calibrate` synthesises: their figures tell the features of `luts` apart."""

from collections.abc import Iterator
from dataclasses import replace

from bitfold.cost.shape import Folding
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

_BASE = Mvtu(
    name="mvtu",
    inputs=144,
    outputs=16,
    pixels=64,
    group_in=8,
    planes=3,
    act_signed=False,
    act_bipolar=False,
    w_planes=3,
    w_bipolar=False,
    folding=Folding(pe=4, simd=16),
    acc_width=14,
    out_bits=3,
    out_signed=False,
    tpe=4,
)


def grid() -> Iterator[Stage]:
    """Sizes as small networks have them."""
    yield from _streams()
    yield from _maps()
    yield from moves()
    yield from _channels()
    yield from _branches()
    yield from _folded()
    yield from _widths()
    yield from _first_and_last()


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
    for group, beats, size, kernel in (
        (1, 4, 8, 3),
        (1, 32, 8, 2),
        (2, 4, 8, 3),
        (4, 12, 8, 2),
        (4, 16, 8, 3),
        (8, 6, 16, 3),
        (16, 4, 8, 3),
    ):
        yield Window(
            name="window",
            group=group,
            beats=beats,
            planes=2,
            height=size,
            width=size,
            kernel=(kernel, kernel),
            stride=(1, 1) if kernel == 3 else (2, 2),
            pads=(1, 1, 1, 1) if kernel == 3 else (0, 0, 0, 0),
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


def _channels() -> Iterator[Stage]:
    """Depthwise convolutions, sums, pools; one with integers that leave."""
    base = Vvau(
        name="vvau",
        group=4,
        groups=4,
        positions=9,
        pixels=64,
        planes=3,
        act_signed=False,
        w_bits=3,
        w_kind=2,
        acc_width=11,
        out_bits=3,
        out_signed=False,
        tpe=4,
    )
    yield base
    for group, groups, tpe in ((1, 16, 1), (2, 32, 2), (8, 4, 8), (8, 2, 2), (16, 1, 4)):
        yield replace(base, group=group, groups=groups, tpe=tpe)
    for planes, w_bits, acc_width, out_bits in ((1, 2, 7, 1), (4, 4, 13, 4), (6, 8, 19, 4)):
        yield replace(base, planes=planes, w_bits=w_bits, acc_width=acc_width, out_bits=out_bits)
    for positions, kind, acc_width in ((2, 0, 5), (2, 1, 8), (64, 0, 10)):
        yield replace(
            base, positions=positions, w_kind=kind, w_bits=3 if kind else 1, acc_width=acc_width
        )
    for group in (2, 8):
        yield replace(
            base, group=group, tpe=group, positions=64, w_kind=0, w_bits=1, out_bits=0, acc_width=10
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


def _folded() -> Iterator[Stage]:
    """One layer, folded in many ways."""
    for pe, simd, group, tpe in (
        (1, 2, 2, 1),
        (1, 8, 8, 1),
        (2, 16, 4, 2),
        (2, 36, 1, 1),
        (4, 8, 4, 4),
        (4, 16, 8, 2),
        (8, 16, 8, 4),
        (8, 16, 8, 8),
        (8, 36, 4, 8),
        (16, 16, 8, 16),
        (16, 48, 8, 16),
        (4, 72, 8, 4),
        (2, 144, 8, 2),
        (16, 9, 9, 8),
        (8, 24, 8, 2),
    ):
        yield replace(_BASE, folding=Folding(pe=pe, simd=simd), group_in=group, tpe=tpe)
    for pe, simd, wp, ap in ((4, 16, 3, 1), (4, 16, 1, 3), (4, 16, 3, 3), (2, 48, 1, 3)):
        yield replace(_BASE, folding=Folding(pe=pe, simd=simd, wp=wp, ap=ap), tpe=min(pe, 2))


def _widths() -> Iterator[Stage]:
    """Bits of weights, activations and codes; signs; more outputs."""
    for planes, w_planes, out_bits, acc in (
        (2, 2, 2, 11),
        (4, 4, 4, 15),
        (6, 5, 4, 18),
        (3, 8, 5, 18),
    ):
        yield replace(_BASE, planes=planes, w_planes=w_planes, out_bits=out_bits, acc_width=acc)
    for pe, simd, planes, xnor in ((4, 16, 2, False), (8, 16, 3, False), (8, 36, 1, True)):
        yield replace(
            _BASE,
            planes=planes,
            w_planes=1,
            w_bipolar=True,
            act_bipolar=xnor,
            acc_width=12,
            folding=Folding(pe=pe, simd=simd),
            tpe=pe,
        )
    for outputs, inputs, pe, simd in (
        (32, 144, 4, 16),
        (64, 288, 4, 16),
        (32, 288, 8, 32),
        (64, 576, 8, 32),
        (64, 576, 4, 72),
        (128, 576, 16, 64),
    ):
        yield replace(
            _BASE, outputs=outputs, inputs=inputs, folding=Folding(pe=pe, simd=simd), tpe=pe
        )


def _first_and_last() -> Iterator[Stage]:
    """Few inputs from wide pixels; accumulators that leave as they are."""
    for pe, simd in ((2, 3), (8, 9)):
        yield replace(
            _BASE,
            inputs=9,
            group_in=1,
            planes=5,
            w_planes=4,
            acc_width=11,
            folding=Folding(pe=pe, simd=simd),
            tpe=pe,
        )
    for outputs, inputs, pe, simd, group in (
        (10, 128, 1, 8, 1),
        (10, 128, 1, 16, 8),
        (10, 128, 5, 16, 8),
        (10, 512, 2, 32, 8),
    ):
        yield replace(
            _BASE,
            outputs=outputs,
            inputs=inputs,
            pixels=1,
            group_in=group,
            planes=4,
            out_bits=0,
            acc_width=16,
            folding=Folding(pe=pe, simd=simd),
            tpe=pe,
        )
