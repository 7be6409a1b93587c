import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("width", "beats"), [(4, (6, 6)), (1, (1, 1)), (3, (4, 1, 7)), (2, (2, 3))]
)
def test_beats_and_their_cycles(width: int, beats: tuple[int, ...]) -> None:
    packed = sum(n << 32 * k for k, n in enumerate(beats))
    bench("bf_join", Width=width, Branches=len(beats), Beats=f"{32 * len(beats)}'h{packed:x}")
