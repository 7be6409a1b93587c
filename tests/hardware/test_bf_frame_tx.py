import pytest
from harness import bench

pytestmark = pytest.mark.rtl


def test_sends_what_the_protocol_says() -> None:
    bench("bf_frame_tx")
