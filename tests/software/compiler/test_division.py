"""Divisions in place of thresholds: found where there are any, refused elsewhere, always exact."""

from dataclasses import replace

import numpy as np
import pytest

from bitfold.compiler.division import divide, divided, reachable
from bitfold.compiler.layers import LinearLayer
from bitfold.compiler.lower import lower
from bitfold.compiler.pipeline import run_pipeline
from bitfold.cost.units import DIVIDED_BITS
from bitfold.sim.reference import apply_thresholds
from branch_graphs import Branches

K = np.arange(1, 256)


def codes_of(found, x: np.ndarray) -> np.ndarray:
    """(N, C) by dividing: the formula in bf_divide's header."""
    shift, slopes, offsets = found
    above = (x[:, :, None] << shift) >= K * slopes[:, None] + offsets[:, None]
    return above.sum(axis=2)


def scaled(steps: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """(C, 255) thresholds of round-half-up quantisers with these real steps."""
    return np.ceil(begins[:, None] + (K - 0.5) * steps[:, None]).astype(np.int64)


def test_quantisers_of_any_step_divide_exactly():
    """Steps below, about and far above one; ranges that leave codes out at both ends."""
    rng = np.random.default_rng(0)
    steps = np.exp(rng.uniform(-2, 5, 40))
    begins = rng.uniform(-2000, 500, 40)
    low, high = rng.integers(-9000, -100, 40), rng.integers(100, 9000, 40)
    thresholds = scaled(steps, begins)
    found = divide(thresholds, low, high)
    assert found is not None
    x = np.linspace(low, high, 5000).round().astype(np.int64)
    np.testing.assert_array_equal(codes_of(found, x), apply_thresholds(x, thresholds))
    ends = np.concatenate([thresholds.T, thresholds.T - 1]).clip(low, high)
    np.testing.assert_array_equal(codes_of(found, ends), apply_thresholds(ends, thresholds))


def test_a_step_moved_by_one_is_no_line():
    thresholds = scaled(np.array([40.0]), np.array([-3000.0]))
    low, high = np.array([-8000]), np.array([8000])
    assert divide(thresholds, low, high) is not None
    bent = thresholds.copy()
    bent[0, 100] += 2
    assert divide(bent, low, high) is None
    # Where no accumulator comes it may be anywhere.
    assert divide(bent, low, bent[:, 99]) is not None


@pytest.mark.parametrize("place", [-500, 500])
def test_channels_that_give_one_code_divide(place: int):
    """All thresholds at or below every accumulator, or all above."""
    found = divide(np.full((1, 255), place), np.array([-500]), np.array([499]))
    assert found is not None
    x = np.arange(-500, 500)[:, None]
    assert set(codes_of(found, x).ravel()) == {255 if place < 0 else 0}


def test_a_floor_at_the_middle_leaves_the_lower_thresholds_free():
    """As behind a ReLU whose codes have a sign: the lower half is always reached."""
    thresholds = scaled(np.array([40.0]), np.array([-5000.0]))
    low, high = np.array([-8000]), np.array([8000])
    thresholds[:, :128] = low
    assert divide(thresholds, low, high) is None
    found = divide(thresholds, low, high, first=129)
    assert found is not None
    x = np.arange(-8000, 8001)[:, None]
    floored = np.maximum(codes_of(found, x), 128)
    np.testing.assert_array_equal(floored, apply_thresholds(x, thresholds))


def test_sums_too_wide_to_be_proven_keep_their_table():
    thresholds = scaled(np.array([1e6]), np.array([0.0]))
    assert divide(thresholds, np.array([0]), np.array([1 << 29])) is None


def layer_of(bits: int) -> LinearLayer:
    b = Branches(np.random.default_rng(1))
    x = b.input((3, 4, 4), 4, signed=True)
    b.line(b.conv(x, 4, 3, 3), bits, False, np.random.default_rng(2))
    (layer,) = lower(run_pipeline(b.graph()))
    assert isinstance(layer, LinearLayer)
    return layer


def test_few_bits_keep_their_table():
    assert layer_of(DIVIDED_BITS).division is not None
    assert layer_of(DIVIDED_BITS - 1).division is None


def test_reachable_sums_are_those_of_the_extreme_operands():
    layer = layer_of(7)
    low, high = reachable(layer)
    rng = np.random.default_rng(3)
    x = np.where(layer.matrix > 0, layer.x.max, layer.x.min)
    np.testing.assert_array_equal((layer.matrix * x).sum(axis=1), high)
    x = rng.integers(layer.x.min, layer.x.max + 1, (100, layer.matrix.shape[1]))
    sums = x @ layer.matrix.T
    assert (sums >= low).all()
    assert (sums <= high).all()


def test_a_false_division_is_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "bitfold.compiler.division._on_grid", lambda *_: (np.array([1]), np.array([0]))
    )
    with pytest.raises(AssertionError, match="differs from its thresholds"):
        divide(scaled(np.array([40.0]), np.array([0.0])), np.array([-500]), np.array([500]))


def test_modes_keep_their_tables():
    layer = layer_of(8)
    plain = replace(layer, division=None)
    assert divided(plain).division is not None
    assert divided(replace(plain, x=replace(plain.x, bits=1, bipolar=True))).division is None
