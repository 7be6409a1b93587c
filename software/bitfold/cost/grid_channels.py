"""Units that sum each channel for itself, for `bitfold calibrate`: see `grid`."""

from collections.abc import Iterator
from dataclasses import replace

from bitfold.cost.units import Divider, Vvau


def channels() -> Iterator[Vvau]:
    """Depthwise convolutions, sums, pools, integers that leave; quantisers of accumulators."""
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
    eight = Divider(shift=14, width=28, slope_bits=19)
    for group, groups, planes, out_bits, others in (
        (8, 2, 19, 3, {}),
        (4, 8, 16, 3, {}),
        (2, 16, 13, 4, {}),
        (8, 4, 11, 2, {}),
        (1, 64, 18, 2, {}),
        (4, 8, 18, 8, {"divider": eight}),
        (8, 4, 9, 4, {"one_table": True, "threshold_range": (2, 60)}),
        (4, 16, 12, 3, {"one_table": True, "threshold_range": (-40, 90)}),
    ):
        quantiser = replace(
            base,
            group=group,
            groups=groups,
            positions=1,
            planes=planes,
            act_signed=True,
            w_kind=0,
            w_bits=1,
            acc_width=planes,
            out_bits=out_bits,
            tpe=group,
        )
        yield replace(quantiser, **others)
