import pytest
from harness import bench

pytestmark = pytest.mark.rtl


def test_equals_protocol() -> None:
    bench("bf_crc16")
