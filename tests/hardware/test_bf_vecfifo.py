import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("width", "beats", "vectors"), [(1, 1, 2), (8, 4, 2), (5, 3, 5), (33, 1, 9)]
)
def test_keeps_order_and_credit(width: int, beats: int, vectors: int) -> None:
    bench("bf_vecfifo", Width=width, Beats=beats, Vectors=vectors)
