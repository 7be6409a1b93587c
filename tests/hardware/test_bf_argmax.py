import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("items", "width", "outputs"), [(1, 12, 10), (5, 20, 10), (2, 3, 2), (1, 2, 1)]
)
def test_place_of_the_greatest(items: int, width: int, outputs: int) -> None:
    bench("bf_argmax", Items=items, Width=width, Outputs=outputs)
