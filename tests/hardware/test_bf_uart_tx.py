import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("bit_cycles", [4, 25])
def test_sends_bytes(bit_cycles: int) -> None:
    bench("bf_uart_tx", BitCycles=bit_cycles)
