import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("width", "beats", "vectors"),
    [(4, 6, (2, 2)), (1, 1, (2, 3)), (3, 4, (2, 7, 3)), (5, 2, (4,))],
)
def test_beats_and_their_cycles(width: int, beats: int, vectors: tuple[int, ...]) -> None:
    packed = sum(v << 32 * k for k, v in enumerate(vectors))
    bench(
        "bf_fork",
        Width=width,
        Beats=beats,
        Branches=len(vectors),
        Vectors=f"{32 * len(vectors)}'h{packed:x}",
    )
