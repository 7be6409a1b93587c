import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("group", "planes", "words", "bipolar"),
    [(4, 4, 2, 0), (3, 2, 5, 0), (1, 8, 3, 0), (5, 1, 1, 0), (2, 1, 3, 1), (1, 1, 1, 1)],
)
def test_integers_and_their_cycles(group: int, planes: int, words: int, bipolar: int) -> None:
    bench("bf_gather", Group=group, Planes=planes, Words=words, Bipolar=f"1'b{bipolar}")
