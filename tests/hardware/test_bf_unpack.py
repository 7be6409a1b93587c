import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("items", "width"), [(1, 7), (2, 1), (5, 12)])
def test_unpacks_without_a_bubble(items: int, width: int) -> None:
    bench("bf_unpack", Items=items, Width=width)
