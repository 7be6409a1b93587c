import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("width", "depth"), [(1, 2), (8, 5), (33, 16)])
def test_keeps_order_and_resets(width: int, depth: int) -> None:
    bench("bf_fifo", Width=width, Depth=depth)
