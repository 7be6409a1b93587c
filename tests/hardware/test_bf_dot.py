import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("style", [0, 1])
@pytest.mark.parametrize(
    ("pe", "simd", "wp", "ap", "max_shift", "acc_width"),
    [
        (2, 64, 1, 1, 1, 14),
        (1, 1, 2, 1, 2, 9),
        (2, 5, 1, 2, 2, 12),
        (3, 16, 2, 2, 3, 12),
        (2, 12, 3, 4, 4, 20),
    ],
)
def test_integer_weights_and_activations(
    pe: int, simd: int, wp: int, ap: int, max_shift: int, acc_width: int, style: int
) -> None:
    shape = {"Pe": pe, "Simd": simd, "Wp": wp, "Ap": ap}
    bench("bf_dot", **shape, MaxShift=max_shift, AccWidth=acc_width, Style=style)


@pytest.mark.parametrize(
    ("simd", "ap", "max_shift", "style"), [(36, 1, 1, 0), (9, 3, 3, 0), (36, 1, 1, 1), (7, 2, 2, 1)]
)
def test_bipolar_weights(simd: int, ap: int, max_shift: int, style: int) -> None:
    shape = {"Pe": 2, "Simd": simd, "Ap": ap, "MaxShift": max_shift}
    bench("bf_dot", **shape, AccWidth=13, WeightBipolar="1'b1", Style=style)


@pytest.mark.parametrize(("simd", "style"), [(20, 0), (20, 1)])
def test_bipolar_weights_and_activations_start_from_minus_the_inputs(simd: int, style: int) -> None:
    shape = {"Pe": 2, "Simd": simd, "MaxShift": 0, "AccWidth": 9, "Init": -100}
    bench("bf_dot", **shape, WeightBipolar="1'b1", ActBipolar="1'b1", Style=style)
