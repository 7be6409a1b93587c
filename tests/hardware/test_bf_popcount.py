from pathlib import Path

import pytest
from harness import bench

pytestmark = pytest.mark.rtl

GRID = Path(__file__).parent / "bf_popcount_grid.sv"


@pytest.mark.parametrize(
    "lanes",
    [
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 20, 24, 36, 64, 100),
        (10, 11, 12, 13, 14, 15, 31, 32, 47, 57, 63, 96, 127, 128),
    ],
    ids=["small", "odd"],
)
def test_counts_at_any_lane_number_in_both_styles_and_modes(lanes: tuple[int, ...]) -> None:
    fields = sum(n << (8 * s) for s, n in enumerate(lanes))
    bench(
        "bf_popcount_grid",
        extra=(GRID,),
        bench_module="bench_bf_popcount",
        Sizes=len(lanes),
        Width=max(lanes),
        Lanes=f"{8 * len(lanes)}'h{fields:x}",
    )
