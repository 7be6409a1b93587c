"""The integer program: against brute force, and between its two solvers."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from bitfold.errors import BudgetError
from bitfold.search.ilp import Limit, choose, highs, knapsack, total

SOLVERS = pytest.mark.parametrize("solve", [choose, highs.choose, knapsack.choose])
Solve = Callable[..., tuple[tuple[int, int], ...]]


@SOLVERS
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("least", [-np.inf, 20.0])
def test_choice_equals_brute_force(solve: Solve, seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    layers, candidates = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    shape = (layers, candidates, candidates)
    value, cost, size = rng.random(shape), rng.integers(1, 50, shape), rng.integers(1, 9, shape)
    allowed = rng.random(shape) < 0.9
    limits = [
        Limit(table=cost.astype(float), most=24.0 * layers + 3, least=least * layers, fixed=(2, 1)),
        Limit(table=size.astype(float), most=5.0 * layers),
    ]
    pairs = list(itertools.product(range(candidates), repeat=2))
    best = np.inf
    for picks in itertools.product(pairs, repeat=layers):
        fits = all(limit.holds(picks) for limit in limits)
        if fits and all(allowed[layer, w, a] for layer, (w, a) in enumerate(picks)):
            best = min(best, total(value, picks))
    if np.isinf(best):
        with pytest.raises(BudgetError):
            solve(value, limits, allowed)
    else:
        picks = solve(value, limits, allowed)
        assert all(allowed[layer, w, a] for layer, (w, a) in enumerate(picks))
        assert all(limit.holds(picks) for limit in limits)
        assert total(value, picks) == pytest.approx(best, abs=1e-9)


@SOLVERS
def test_a_budget_that_is_met_exactly_is_met(solve: Solve) -> None:
    cost = np.arange(1.0, 9).reshape(2, 2, 2) * 1e10
    allowed = np.ones(cost.shape, dtype=np.bool_)
    assert solve(-cost, [Limit(table=cost, most=6e10)], allowed) == ((0, 0), (0, 0))


@SOLVERS
def test_without_limits_each_layer_takes_its_best(solve: Solve) -> None:
    value = np.array([[[3.0, 1.0]], [[0.0, 2.0]]])
    allowed = np.array([[[True, True]], [[False, True]]])
    assert solve(value, [], allowed) == ((0, 1), (0, 1))


def test_what_the_exact_solver_gives_up_goes_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    value, cost = rng.random((8, 3, 3)), rng.random((8, 3, 3))
    limit, allowed = Limit(table=cost, most=cost.mean() * 8), np.ones(cost.shape, dtype=np.bool_)
    assert knapsack.choose(value, [limit], allowed, states=0) is None
    wanted = highs.choose(value, [limit], allowed)
    assert choose(value, [limit], allowed) == wanted
    monkeypatch.setattr(knapsack, "choose", lambda *_: None)
    assert choose(value, [limit], allowed) == wanted
