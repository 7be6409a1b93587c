import pytest
from harness import bench
from move_cases import PADS, pad_parameters

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("shape", PADS, ids=str)
def test_padded_map_and_its_cycles(shape: tuple) -> None:
    bench("bf_pad", **pad_parameters(shape))
