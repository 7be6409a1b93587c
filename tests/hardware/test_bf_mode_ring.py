import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("beats", "modes", "ring"), [(1, 2, 2), (3, 3, 4), (5, 256, 8)], ids=["one_beat", "odd", "most"]
)
def test_a_frame_keeps_the_mode_that_it_entered_in(beats: int, modes: int, ring: int) -> None:
    bench("bf_mode_ring", Bytes=2, BeatsPerFrame=beats, Modes=modes, Ring=ring)
