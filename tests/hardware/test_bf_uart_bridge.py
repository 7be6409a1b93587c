import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("frame", "beat", "outputs", "bits"), [(16, 1, 10, 8), (12, 4, 3, 25), (1, 1, 1, 8)]
)
def test_speaks_the_protocol(frame: int, beat: int, outputs: int, bits: int) -> None:
    bench(
        "bf_uart_bridge",
        BitCycles=bits,
        TimeoutCycles=100 * bits,
        WatchdogCycles=1000,
        FrameBytes=frame,
        BeatBytes=beat,
        Outputs=outputs,
        DesignId="64'h0123456789abcdef",
    )
