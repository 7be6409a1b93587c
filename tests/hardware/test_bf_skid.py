import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("width", [1, 33])
def test_cuts_a_stream_without_a_bubble(width: int) -> None:
    bench("bf_skid", Width=width)
