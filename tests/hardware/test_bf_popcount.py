import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("style", [0, 1])
@pytest.mark.parametrize("lanes", [1, 2, 3, 5, 8, 16, 36, 64, 100])
def test_counts_products_at_any_lane_number(lanes: int, style: int) -> None:
    bench("bf_popcount", Lanes=lanes, Xnor="1'b0", Style=style)


@pytest.mark.parametrize(("lanes", "style"), [(1, 0), (5, 0), (64, 0), (3, 1), (16, 1), (36, 1)])
def test_counts_equal_bits_with_xnor(lanes: int, style: int) -> None:
    bench("bf_popcount", Lanes=lanes, Xnor="1'b1", Style=style)
