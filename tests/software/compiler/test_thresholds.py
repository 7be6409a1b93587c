import numpy as np
import pytest

from bitfold.compiler.thresholds import bisect, directions, first_violation

VALUES = np.arange(-4, 4)


def half_even(slope, offset):
    """Requantisation of x by exact halves: slope (C,), offset (C,)."""
    return lambda x: np.clip(np.rint(x * slope + offset), -4, 3).astype(np.int64)


@pytest.mark.parametrize("low", [-200, -(1 << 20)])
def test_ties_go_to_the_even_code(low):
    codes = half_even(np.array([0.5, 0.25]), np.array([0.0, 0.5]))
    found = bisect(codes, low, -low, VALUES[1:], 2)
    # 0.5 x reaches code k at 2k - 1 if k is even (the tie goes up to it), else at 2k.
    np.testing.assert_array_equal(found[0], [2 * k - (k % 2 == 0) for k in VALUES[1:]])
    assert first_violation(codes, low, -low, found, VALUES) is None


def test_unreachable_codes_get_the_ends_of_the_range():
    codes = half_even(np.array([0.0, 0.0]), np.array([1.0, -4.0]))
    found = bisect(codes, -50, 60, VALUES[1:], 2)
    np.testing.assert_array_equal(found[0], [-50] * 5 + [61] * 2)
    np.testing.assert_array_equal(found[1], [61] * 7)
    assert first_violation(codes, -50, 60, found, VALUES) is None


def test_directions():
    codes = half_even(np.array([0.5, -0.5, 0.0]), np.zeros(3))
    np.testing.assert_array_equal(directions(codes, -10, 10, 3), [1, -1, 1])


@pytest.mark.parametrize("at", [-37, 0, 99])
def test_one_wrong_point_in_one_channel_is_found(at):
    smooth = half_even(np.full(3, 0.25), np.zeros(3))

    def codes(x):
        bent = smooth(x)
        bent[:, 1] = np.where(x[:, 1] == at, np.where(bent[:, 1] < 0, 3, -4), bent[:, 1])
        return bent

    found = bisect(codes, -100, 99, VALUES[1:], 3)
    bad = first_violation(codes, -100, 99, found, VALUES)
    assert bad is not None
    assert bad[0] == 1


def test_a_wide_hump_is_found_by_the_sample():
    span = 1 << 22

    def codes(x):
        return np.clip(3 - np.abs(x) // (span // 8), -4, 3)

    found = bisect(codes, -span, span, VALUES[1:], 1)
    assert first_violation(codes, -span, span, found, VALUES) is not None


def test_a_threshold_one_off_is_found_even_where_only_samples_are_tried():
    codes = half_even(np.array([2.0**-18]), np.zeros(1))
    found = bisect(codes, -(1 << 22), 1 << 22, VALUES[1:], 1)
    assert first_violation(codes, -(1 << 22), 1 << 22, found, VALUES) is None
    for shift in (-1, 1):
        wrong = found.copy()
        wrong[0, 3] += shift
        assert first_violation(codes, -(1 << 22), 1 << 22, wrong, VALUES) is not None
