import pytest
from harness import bench

from serial_vectors import DESIGN_ID, FRAME_BYTES, OUTPUTS

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


def test_runs_frames_in_their_modes() -> None:
    bench(
        "bf_uart_bridge",
        BitCycles=8,
        TimeoutCycles=800,
        WatchdogCycles=1000,
        FrameBytes=12,
        BeatBytes=4,
        Outputs=3,
        Modes=3,
        DesignId="64'h0123456789abcdef",
    )


def test_answers_the_vectors_of_the_host() -> None:
    bench(
        "bf_uart_bridge",
        bench_module="bench_serial_vectors",
        name="-vectors",
        BitCycles=8,
        TimeoutCycles=800,
        WatchdogCycles=1000,
        FrameBytes=FRAME_BYTES,
        BeatBytes=4,
        Outputs=OUTPUTS,
        DesignId=f"64'h{DESIGN_ID:016x}",
    )
