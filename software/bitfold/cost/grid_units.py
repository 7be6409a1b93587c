"""Units that multiply and sum, for `bitfold calibrate`: see `grid`."""

from collections.abc import Iterator
from dataclasses import replace

from bitfold.cost.grid_channels import channels
from bitfold.cost.luts import Part
from bitfold.cost.shape import Folding
from bitfold.cost.units import Divider, ModeControl, Mvtu, StageModes, Vvau, usual_range

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


def units() -> Iterator[Part]:
    """Foldings, bits, codes, modes; with the range of the thresholds that they get."""
    for part in (
        *_folded(),
        *_small(),
        *_widths(),
        *_deep(),
        *_first_and_last(),
        *channels(),
        *dividers(),
        *modes(),
    ):
        yield _ranged(part) if isinstance(part, Mvtu | Vvau) else part


def _ranged(unit: Mvtu | Vvau) -> Mvtu | Vvau:
    if unit.final or unit.divider or unit.threshold_range:
        return unit
    return replace(unit, threshold_range=usual_range(unit.acc_width))


def _folded() -> Iterator[Mvtu]:
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


def _small() -> Iterator[Mvtu]:
    """Next to no lanes: what is left is the counters."""
    for inputs, outputs, planes in ((72, 16, 1), (144, 32, 3)):
        for simd in (1, 2, 8):
            yield replace(
                _BASE,
                inputs=inputs,
                outputs=outputs,
                group_in=simd,
                planes=planes,
                w_planes=planes,
                folding=Folding(pe=1, simd=simd),
                acc_width=10,
                out_bits=planes,
                tpe=1,
                threshold_range=(-60, 60),
            )


def _widths() -> Iterator[Mvtu]:
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


def _deep() -> Iterator[Mvtu]:
    """Many words of weights, in block RAM and not; thresholds of few bits and without sign."""
    two = replace(_BASE, planes=2, w_planes=2, out_bits=2, acc_width=12)
    for inputs, outputs, pe, simd, wp, group, tpe, span in (
        (144, 64, 8, 36, 2, 4, 8, (2, 100)),
        (288, 64, 8, 36, 1, 4, 4, (-30, 200)),
        (576, 32, 16, 32, 2, 8, 8, (1, 60)),
        (1152, 128, 4, 9, 2, 1, 1, (3, 120)),
        (1152, 256, 8, 6, 2, 2, 2, (-90, 120)),
        (768, 384, 1, 16, 2, 2, 1, (5, 250)),
        (640, 320, 2, 32, 1, 4, 2, (-12, 60)),
    ):
        yield replace(
            two,
            inputs=inputs,
            outputs=outputs,
            group_in=group,
            folding=Folding(pe=pe, simd=simd, wp=wp),
            tpe=tpe,
            threshold_range=span,
        )
    for outputs, pe, tpe, bits, span in ((64, 4, 4, 4, (1, 1000)), (32, 4, 1, 4, (-100, 500))):
        yield replace(
            _BASE,
            outputs=outputs,
            folding=Folding(pe=pe, simd=16),
            tpe=tpe,
            out_bits=bits,
            threshold_range=span,
        )


def _first_and_last() -> Iterator[Mvtu]:
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


def dividers() -> Iterator[Mvtu]:
    """Codes of 7 and 8 bits, of few and of many channels."""
    for outputs, pe, tpe, bits, acc, sizes in (
        (16, 4, 1, 8, 14, (8, 23, 14)),
        (16, 4, 4, 8, 14, (12, 27, 18)),
        (64, 2, 2, 8, 14, (13, 28, 17)),
        (128, 4, 1, 8, 12, (11, 24, 15)),
        (32, 8, 8, 7, 13, (6, 20, 12)),
        (64, 8, 2, 7, 16, (14, 31, 22)),
    ):
        shift, width, slope = sizes
        yield replace(
            _BASE,
            outputs=outputs,
            folding=Folding(pe=pe, simd=16),
            tpe=tpe,
            acc_width=acc,
            out_bits=bits,
            divider=Divider(shift=shift, width=width, slope_bits=slope),
        )


def modes() -> Iterator[Part]:
    """Precision at run time: units with modes; ring and registers."""
    two, four = ((2, 2), (3, 3)), ((1, 2), (2, 2), (3, 2), (3, 3))
    for kept, ring, pe, out_bits, flips in (
        (two, 4, 4, 3, False),
        (four, 8, 4, 3, True),
        (four, 32, 4, 3, False),
        (four, 8, 16, 2, False),
        (two, 16, 4, 0, False),
        (((3, 3),) * 3, 8, 8, 4, True),
    ):
        yield replace(
            _BASE,
            folding=Folding(pe=pe, simd=16),
            out_bits=out_bits,
            tpe=pe,
            modes=StageModes(kept=kept, flips=flips, ring=ring),
        )
    vvau = next(channels())
    for kept, ring, group in ((two, 8, 4), (four, 16, 8)):
        yield replace(vvau, group=group, tpe=group, modes=StageModes(kept=kept, ring=ring))
    for kept, ring, layers, group, beats in (
        (two, 4, 3, 1, 64),
        (two, 16, 8, 4, 784),
        (four, 8, 5, 1, 1024),
        (four, 32, 20, 3, 1024),
    ):
        named = tuple((f"layer{k}", kept) for k in range(layers))
        for free in (False, True):
            yield ModeControl(
                name="modes", group=group, beats=beats, ring=ring, layers=named, free=free
            )
