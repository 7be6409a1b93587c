import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("frame", "beat"), [(64, 1), (12, 4), (3, 3), (1, 1)])
def test_plays_what_it_was_given(frame: int, beat: int) -> None:
    bench("bf_frame_memory", FrameBytes=frame, BeatBytes=beat)
