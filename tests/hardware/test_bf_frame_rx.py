import pytest
from harness import bench

pytestmark = pytest.mark.rtl


def test_finds_and_checks_frames() -> None:
    bench("bf_frame_rx", TimeoutCycles=20)
