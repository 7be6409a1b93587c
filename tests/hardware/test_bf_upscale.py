import pytest
from harness import bench
from move_cases import UPSCALES, upscale_parameters

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("shape", list(UPSCALES))
def test_pixels_and_their_cycles(shape: str) -> None:
    bench("bf_upscale", **upscale_parameters(UPSCALES[shape]))
