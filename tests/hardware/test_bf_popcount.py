from pathlib import Path

import pytest
from harness import bench
from netlist import netlist_bench

GRID = Path(__file__).parent / "bf_popcount_grid.sv"
SIZES = (1, 2, 3, 5, 7, 8, 16, 20, 31, 36, 57, 64, 100, 127)


def grid(sizes: tuple[int, ...], style: int) -> dict[str, int | str]:
    fields = sum(n << (8 * s) for s, n in enumerate(sizes))
    lanes = f"{8 * len(sizes)}'h{fields:x}"
    return {"Style": style, "Sizes": len(sizes), "Lanes": lanes, "Width": max(sizes)}


@pytest.mark.rtl
@pytest.mark.parametrize("style", [0, 1, 2])
def test_counts_at_any_lane_number_in_both_modes(style: int) -> None:
    bench(
        "bf_popcount_grid",
        extra=(GRID,),
        bench_module="bench_bf_popcount",
        **grid(SIZES, style),
    )


@pytest.mark.rtl
@pytest.mark.synth
@pytest.mark.parametrize(("style", "target"), [(1, "xc7"), (2, "ecp5")])
def test_synthesised_primitives_count_the_same(style: int, target: str) -> None:
    netlist_bench(
        "bf_popcount_grid",
        target,
        extra=(GRID,),
        bench_module="bench_bf_popcount",
        **grid((1, 5, 7, 23, 36, 64, 100), style),
    )
