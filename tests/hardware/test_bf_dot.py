import pytest
from harness import bench
from netlist import netlist_bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("shape", "style"),
    [
        ({"Pe": 2, "Simd": 64, "MaxShift": 1, "AccWidth": 14}, 0),
        ({"Pe": 2, "Simd": 64, "MaxShift": 1, "AccWidth": 14}, 1),
        ({"Pe": 1, "Simd": 1, "Wp": 2, "MaxShift": 2, "AccWidth": 9}, 1),
        ({"Pe": 2, "Simd": 5, "Ap": 2, "MaxShift": 3, "AccWidth": 12}, 1),
        ({"Pe": 3, "Simd": 16, "Wp": 2, "Ap": 2, "MaxShift": 3, "AccWidth": 12}, 0),
        ({"Pe": 2, "Simd": 16, "Wp": 2, "Ap": 2, "MaxShift": 1, "AccWidth": 10}, 1),
        ({"Pe": 2, "Simd": 12, "Wp": 3, "Ap": 4, "MaxShift": 4, "AccWidth": 20}, 2),
    ],
)
def test_integer_weights_and_activations(shape: dict[str, int], style: int) -> None:
    bench("bf_dot", **shape, Style=style)


def test_without_the_inverters_of_a_negative_last_beat() -> None:
    bench("bf_dot", Simd=36, AccWidth=13, LastNegative="1'b0", Style=1)


@pytest.mark.parametrize(("simd", "ap", "max_shift", "style"), [(9, 3, 3, 0), (36, 1, 1, 1)])
def test_bipolar_weights(simd: int, ap: int, max_shift: int, style: int) -> None:
    shape = {"Pe": 2, "Simd": simd, "Ap": ap, "MaxShift": max_shift}
    bench("bf_dot", **shape, AccWidth=13, WeightBipolar="1'b1", Style=style)


@pytest.mark.parametrize("style", [0, 1])
def test_bipolar_weights_and_activations_start_from_minus_the_inputs(style: int) -> None:
    shape = {"Pe": 2, "Simd": 20, "MaxShift": 0, "AccWidth": 9, "Init": -100}
    bench("bf_dot", **shape, WeightBipolar="1'b1", ActBipolar="1'b1", Style=style)


@pytest.mark.synth
@pytest.mark.parametrize(("style", "target"), [(1, "xc7"), (2, "ecp5")])
def test_synthesised_primitives_compute_the_same(style: int, target: str) -> None:
    netlist_bench("bf_dot", target, Pe=2, Simd=20, AccWidth=13, Style=style)
