import pytest
from harness import bench
from vvau_layer import CASES

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("name", list(CASES))
def test_results_and_cycles_equal_golden(name: str) -> None:
    bench("bf_vvau", **CASES[name].parameters())
