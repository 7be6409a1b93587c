import pytest
from harness import bench
from move_cases import APART, WINDOWS, window_parameters

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("shape", list(WINDOWS))
def test_windows_and_their_cycles(shape: str) -> None:
    bench("bf_window", **window_parameters(WINDOWS[shape], (1, 1)))


@pytest.mark.parametrize("shape", list(APART))
def test_windows_of_dilated_kernels_and_their_cycles(shape: str) -> None:
    bench("bf_window", **window_parameters(*APART[shape]))
