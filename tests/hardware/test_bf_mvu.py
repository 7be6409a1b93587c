import pytest
from harness import bench
from mvtu_cases import CASES, mvu_parameters

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    "name",
    [
        *("plain", "odd_groups", "bipolar_weights", "xnor"),
        *("negative_weights", "negative_acts", "negative_both", "xc7"),
    ],
)
def test_accumulators_equal_the_product(name: str) -> None:
    bench("bf_mvu", **mvu_parameters(CASES[name]))
