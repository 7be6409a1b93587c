"""Costs per weight bit, and policies brought to the budget."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from bitfold.errors import BudgetError
from bitfold.models import convnet
from bitfold.policy import LayerBits
from bitfold.quant import trace
from bitfold.search.problem import KINDS, Problem, pose
from bitfold.search.weights import (
    activation_bits,
    bit_costs,
    fit,
    pressure,
    shares,
    weight_budget,
)

LAYERS = trace(convnet((1, 8, 8), 10, (8, 8, 12), (1, 2)), (1, 8, 8))
NAMES = [layer.name for layer in LAYERS]
WIDE = tuple(range(1, 9))


def problem(
    kind: str, like: int | None = 3, first_last: int | str = "search", value: float | None = None
) -> Problem:
    return pose(
        LAYERS,
        kind=kind,
        value=value,
        like_uniform=None if value else like,
        bits=(2, 3, 4, 5, 6, 7, 8),
        first_last=first_last,
        target="ecp5",
        seed=0,
    )


def policy(w_bits: Sequence[int], a_bits: int = 3) -> dict[str, LayerBits]:
    return {n: LayerBits(w_bits=w, a_bits=a_bits) for n, w in zip(NAMES, w_bits, strict=True)}


def test_activations_have_their_own_bits_else_the_budgets_else_eight() -> None:
    posed = problem("bitops")
    assert activation_bits(posed, 5, 3) == 5
    assert activation_bits(posed, None, 3) == 3
    assert activation_bits(posed, None, None) == 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_last", ["search", 8])
def test_bit_costs_and_budget_say_what_a_policy_costs(kind: str, first_last: int | str) -> None:
    posed = problem(kind, 8, first_last)
    rng = np.random.default_rng(0)
    drawn = rng.integers(1, 9, (200, len(posed.searched)))
    policies = [
        posed.complete(
            {
                layer.name: LayerBits(w_bits=int(w), a_bits=4)
                for layer, w in zip(posed.searched, row, strict=True)
            }
        )
        for row in drawn
    ]
    totals = [posed.costs.total(chosen) for chosen in policies]
    posed = problem(kind, None, first_last, value=float(np.median(totals)))
    costs, budget = bit_costs(posed, 4), weight_budget(posed, 4)
    assert costs.shape == (len(posed.searched), 8)
    for row, whole in zip(drawn, totals, strict=True):
        spent = posed.costs.join([float(c) for c in costs[np.arange(len(costs)), row - 1]])
        if kind == "cycles":
            assert whole == max(spent, posed.fixed_cost)
            assert budget == posed.limit
        else:
            assert whole == pytest.approx(spent + posed.fixed_cost)
            assert budget == posed.limit - posed.fixed_cost


def test_pressure_is_what_a_bit_costs_by_hand() -> None:
    """Weights 72, 576, 864, 480; MACs 4608, 9216, 3456, 480."""
    weights, macs = np.array([72, 576, 864, 480]), np.array([4608, 9216, 3456, 480])
    np.testing.assert_allclose(pressure(problem("size"), 4), weights / weights.sum())
    np.testing.assert_allclose(pressure(problem("average_bits"), 4), weights / weights.sum())
    np.testing.assert_allclose(pressure(problem("bitops"), 4), macs / macs.sum())
    cycles = np.array([64 * 1 * 1, 16 * 1 * 6, 4 * 2 * 6, 2 * 3])  # reference folding
    np.testing.assert_allclose(pressure(problem("cycles"), 4), cycles / cycles.sum())


def test_layers_count_by_weights_by_cost_or_alike() -> None:
    """Weights 72, 576, 864, 480; MACs 4608, 9216, 3456, 480."""
    weights, macs = np.array([72, 576, 864, 480]), np.array([4608, 9216, 3456, 480])
    posed = problem("bitops")
    np.testing.assert_allclose(shares(posed, 4, "memory"), weights / weights.sum())
    np.testing.assert_allclose(shares(posed, 4, "budget"), macs / macs.sum())
    np.testing.assert_allclose(shares(posed, 4, "none"), [0.25] * 4)
    same = shares(problem("size"), 4, "budget")
    np.testing.assert_allclose(same, shares(problem("size"), 4, "memory"))


@pytest.mark.parametrize("first_last", ["search", 8])
def test_pressure_of_luts_is_a_share_of_each_layer(first_last: int | str) -> None:
    posed = problem("luts", first_last=first_last)
    share = pressure(posed, 4)
    assert share.shape == (len(posed.searched),)
    assert (share > 0).all()
    assert share.sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_last", ["search", 8])
@pytest.mark.parametrize("candidates", [WIDE, WIDE[1:], (1, 2, 4)])
def test_fit_spends_the_budget_whenever_a_choice_does_and_harms_least(
    kind: str, first_last: int | str, candidates: tuple[int, ...]
) -> None:
    """Against brute force over all choices."""
    rng = np.random.default_rng(1)
    for like in (3, 4):
        posed = problem(kind, like, first_last)
        drawn = policy([int(w) for w in rng.integers(1, 9, len(LAYERS))], like)
        wanted = {**drawn, **posed.fixed}
        harm = {name: float(h) for name, h in zip(NAMES, rng.random(len(NAMES)) + 0.1, strict=True)}
        found = fit(posed, wanted, harm, candidates)
        assert list(found) == NAMES
        cost = posed.costs.total(found)
        assert cost <= posed.limit
        searched = [layer.name for layer in posed.searched]
        assert all(found[n].w_bits in candidates for n in searched)
        assert all(found[n].a_bits == wanted[n].a_bits for n in NAMES)

        costs = bit_costs(posed, like)[:, np.array(candidates) - 1].tolist()
        harms = [[harm[n] * max(0, wanted[n].w_bits - w) for w in candidates] for n in searched]
        totals = [
            posed.costs.join([posed.fixed_cost, *choice]) for choice in itertools.product(*costs)
        ]
        most = max(c for c in totals if c <= posed.limit)
        least = min(0.98 * posed.limit, 0.999 * most)
        assert cost >= least
        best = min(
            sum(choice)
            for choice, c in zip(itertools.product(*harms), totals, strict=True)
            if least <= c <= posed.limit
        )
        # Raised bits are nearly free, not quite: 0.1 to 0.2 % of the mean harm each.
        taken = sum(harm[n] * max(0, wanted[n].w_bits - found[n].w_bits) for n in searched)
        assert taken <= best + 0.002 * 7 * len(NAMES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_last", ["search", 8])
def test_fit_leaves_a_policy_that_spends_the_budget_to_the_last_digit(
    kind: str, first_last: int | str
) -> None:
    for like in WIDE[1:]:
        posed = problem(kind, like, first_last)
        wanted = posed.uniform(like)
        assert fit(posed, wanted, dict.fromkeys(NAMES, 1.0), WIDE) == wanted


def test_fit_takes_bits_where_they_harm_least_and_gives_them_where_they_would_harm_most() -> None:
    # Sizes in units of 72 bits: 1, 8, 12, 6.67 a bit; nothing but conv2 is cheap to lower.
    posed = problem("size", like=None, value=3.0 * (72 + 576 + 864 + 480))
    harm = {"conv1": 9.0, "conv2": 0.1, "conv3": 9.0, "dense": 9.0}
    found = fit(posed, policy([3, 8, 3, 3]), harm, WIDE)
    assert [found[n].w_bits for n in NAMES] == [3, 3, 3, 3]
    # 576 bits below the budget: a bit more of conv2 or dense would spend 98 % of it.
    for name in ("conv2", "dense"):
        harm = {**dict.fromkeys(NAMES, 1.0), name: 2.0}
        assert fit(posed, policy([3, 2, 3, 3]), harm, WIDE) == {
            **policy([3, 2, 3, 3]),
            name: LayerBits(w_bits=3 if name == "conv2" else 4, a_bits=3),
        }


def test_fit_spends_the_most_possible_where_all_bits_are_below_the_budget() -> None:
    posed = problem("bitops", like=8)
    found = fit(posed, policy([2, 2, 2, 2], 3), dict.fromkeys(NAMES, 0.0), WIDE[1:])
    assert found == policy([8, 8, 8, 8], 3)


@pytest.mark.parametrize("kind", ["bitops", "cycles"])
def test_fit_says_that_the_activations_are_too_wide(kind: str) -> None:
    posed = problem(kind, like=2)
    with pytest.raises(BudgetError, match=r"\[8\] of activations the least possible is"):
        fit(posed, policy([3] * 4, 8), dict.fromkeys(NAMES, 1.0), WIDE[1:])
