import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("group", "planes", "beats"), [(1, 4, 16), (4, 8, 6), (3, 1, 5), (2, 5, 1)]
)
def test_planes_of_bytes_and_their_cycles(group: int, planes: int, beats: int) -> None:
    bench("bf_axis_in", Group=group, Planes=planes, BeatsPerFrame=beats)
