import pytest
from finn_layer import CASES
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("name", list(CASES))
def test_integers_and_cycles_equal_golden(name: str) -> None:
    bench("bf_finn_mvu", **CASES[name].parameters())
