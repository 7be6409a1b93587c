import pytest
from harness import bench
from mode_layer import MODE_CASES
from mvtu_cases import CASES

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("name", list(CASES))
def test_results_and_cycles_equal_golden(name: str) -> None:
    bench("bf_mvtu", **CASES[name].parameters())


@pytest.mark.parametrize(
    "name", ["plain", "odd_groups", "negative_weights", "negative_acts", "negative_both"]
)
def test_a_last_step_costs_inverters_only_where_it_subtracts(name: str) -> None:
    parameters = CASES[name].parameters()
    bench("bf_mvtu", bench_module="bench_bf_mvtu_inside", name="-inside", inside=True, **parameters)


@pytest.mark.parametrize("name", list(MODE_CASES))
def test_frames_in_different_modes_follow_each_other(name: str) -> None:
    bench("bf_mvtu", bench_module="bench_bf_mvtu_modes", **MODE_CASES[name].parameters())
