import pytest
from harness import bench

pytestmark = pytest.mark.rtl


def test_registers_answer_as_the_map_says() -> None:
    bench("bf_axi_regs", DesignId="64'h0123456789abcdef", FrameBytes=300, Outputs=11)
