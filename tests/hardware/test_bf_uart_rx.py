import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("bit_cycles", [8, 25])
def test_takes_bytes_of_a_line_that_is_a_little_off(bit_cycles: int) -> None:
    bench("bf_uart_rx", BitCycles=bit_cycles)
