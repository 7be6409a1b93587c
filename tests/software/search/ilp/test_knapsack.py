"""The exact solver: its optima are HiGHS's, whatever the limits; its bound is one."""

import numpy as np
import pytest

from bitfold.errors import BudgetError
from bitfold.search.ilp import Bools, Floats, Limit, highs, knapsack, total
from bitfold.search.ilp.dual import Relaxed, multipliers


def instance(seed: int) -> tuple[Floats, list[Limit], Bools]:
    """Up to 11 layers, up to 3 limits from either or both sides, of any size."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 12)), int(rng.integers(1, 6)), int(rng.integers(1, 4)))
    value = rng.normal(size=shape) if seed % 2 else rng.integers(0, 6, shape).astype(float)
    limits = []
    for _ in range(int(rng.integers(0, 4))):
        whole = rng.random() < 0.5
        table = rng.integers(1, 40, shape) if whole else rng.random(shape) * 10.0 ** rng.integers(9)
        most = float(table.mean() * shape[0] * rng.uniform(0.7, 1.3))
        least = most * rng.uniform(0.8, 0.99) if rng.random() < 0.5 else -np.inf
        limits.append(Limit(table=table.astype(float), most=most, least=float(least)))
    return value, limits, rng.random(shape) < 0.9


def test_optima_are_those_of_highs() -> None:
    met = refused = 0
    for seed in range(80):
        value, limits, allowed = instance(seed)
        try:
            wanted = highs.choose(value, limits, allowed)
        except BudgetError:
            refused += 1
            with pytest.raises(BudgetError):
                knapsack.choose(value, limits, allowed)
            continue
        met += 1
        picks = knapsack.choose(value, limits, allowed)
        assert picks is not None
        assert all(limit.holds(picks) for limit in limits)
        assert all(allowed[layer, w, a] for layer, (w, a) in enumerate(picks))
        assert total(value, picks) == pytest.approx(total(value, wanted), abs=1e-8)
    assert met > 50
    assert refused > 5


@pytest.mark.parametrize("seed", range(4))
def test_optima_of_networks_are_those_of_highs(seed: int) -> None:
    """Thirty layers of 25 pairs, BitOps and size, as in LIMPQ's program."""
    rng = np.random.default_rng(seed)
    bits = np.arange(2.0, 7)
    steps = np.exp(rng.normal(0, 0.5, (2, 30, 1))) / np.cumprod([1, 1.9, 1.8, 1.7, 1.3])
    value = steps[0][:, None, :] + 2 * steps[1][:, :, None]
    macs, weights = np.exp(rng.normal(0, 1, (2, 30, 1, 1)))
    bitops = macs * bits[None, :, None] * bits[None, None, :]
    size = np.broadcast_to(weights * bits[None, :, None], value.shape)
    limits = [
        Limit(table=bitops, most=float(9 * macs.sum())),
        Limit(table=size, most=float(2.9 * weights.sum())),
    ][: 1 + seed % 2]
    allowed = np.ones(value.shape, dtype=np.bool_)
    picks = knapsack.choose(value, limits, allowed)
    assert picks is not None
    wanted = total(value, highs.choose(value, limits, allowed))
    assert total(value, picks) == pytest.approx(wanted, abs=1e-8)


def test_the_bound_is_that_of_the_linear_relaxation_by_hand() -> None:
    """One layer, values 0 and 1 at costs 3 and 1, at most 2: half of each, so 0.5."""
    relaxed = Relaxed(
        value=np.array([[0.0, 1.0]]),
        cost=np.array([[[3.0, 1.0]]]),
        least=np.array([-np.inf]),
        most=np.array([2.0]),
    )
    at = multipliers(relaxed)
    assert at == pytest.approx([0.5], abs=1e-3)
    assert relaxed.bound(at) == pytest.approx(0.5, abs=1e-3)
    # From below: at least 2 where 0 is cheap; value falls with cost there.
    relaxed = Relaxed(
        value=np.array([[1.0, 0.0]]),
        cost=np.array([[[3.0, 1.0]]]),
        least=np.array([2.0]),
        most=np.array([np.inf]),
    )
    at = multipliers(relaxed)
    assert at == pytest.approx([-0.5], abs=1e-3)
    assert relaxed.bound(at) == pytest.approx(0.5, abs=1e-3)


def test_no_multipliers_give_a_bound_above_the_optimum() -> None:
    rng = np.random.default_rng(0)
    checked = 0
    for seed in range(40):
        value, limits, allowed = instance(seed)
        try:
            optimum = total(value, highs.choose(value, limits, allowed))
        except BudgetError:
            continue
        relaxed = Relaxed(
            value=np.where(allowed, value, np.inf).reshape(len(value), -1),
            cost=np.array([limit.table / limit.most for limit in limits]).reshape(
                len(limits), len(value), value[0].size
            ),
            least=np.array([limit.least / limit.most for limit in limits]),
            most=np.ones(len(limits)),
        )
        best = multipliers(relaxed)
        for at in (best, *rng.exponential(size=(10, len(limits)))):
            assert relaxed.bound(at) <= optimum + 1e-9
            assert relaxed.bound(at) <= relaxed.bound(best) + 1e-3 * value.std()
            checked += 1
    assert checked > 200
