"""The choice of modes, and the budget."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from bitfold.search.dqmq.modes import Costs, ModeSet, choose_modes, fit, static_pick
from bitfold.search.problem import KINDS
from bitfold.search.spend import LEAST_SHARE

from .toy import BITS, problem


def preferences(
    count: int = 600, layers: int = 3, seed: int = 0, blind: bool = False
) -> np.ndarray:
    """Log probabilities: two kinds of inputs that want other bits, each with its own noise."""
    draw = np.random.default_rng(seed)
    wanted = np.array([[2.6, 3.4, 3.0], [4.6, 2.8, 3.8]])[np.arange(count) % 2][:, :layers]
    mu = wanted + (0 if blind else draw.normal(scale=0.5, size=(count, layers)))
    if blind:
        mu[:] = mu.mean(0)
    raw = -((np.array(BITS) - mu[..., None]) ** 2) / (2 * 0.7**2)
    found: np.ndarray = raw - np.log(np.exp(raw).sum(2, keepdims=True))
    return found


def mean_cost(modes: ModeSet, log_p: np.ndarray, costs: Costs) -> float:
    return float(costs.of(modes.picks)[modes.chosen(log_p, costs)].mean())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_last", ["search", 8])
def test_every_kind_of_budget_is_met_within_two_percent(kind: str, first_last: int | str) -> None:
    posed = problem(kind, first_last=first_last)
    costs = Costs(posed)
    layers = len(posed.searched)
    train, held = preferences(layers=layers), preferences(layers=layers, seed=1)
    modes = choose_modes(train, held, costs, most=4, least_share=0.05)
    used = mean_cost(modes, held, costs)
    assert used <= posed.limit
    if len(modes.picks) > 1:
        assert used >= LEAST_SHARE * posed.limit
    # The table is the cost model itself.
    for picks, cost in zip(modes.picks, costs.of(modes.picks), strict=True):
        bits = posed.uniform(2) | {
            layer.name: posed.uniform(BITS[i])[layer.name]
            for layer, i in zip(posed.searched, picks, strict=True)
        }
        assert cost == pytest.approx(posed.costs.total(bits))


@pytest.mark.parametrize("most", [2, 3, 4, 8])
def test_modes_are_few_and_each_is_used(most: int) -> None:
    costs = Costs(problem())
    train = preferences()
    modes = choose_modes(train, preferences(seed=1), costs, most=most, least_share=0.1)
    assert 1 < len(modes.picks) <= most
    shares = np.bincount(modes.chosen(train, costs), minlength=len(modes.picks)) / len(train)
    assert shares.min() >= 0.1
    assert (np.diff(costs.of(modes.picks)) >= 0).all()
    assert len(np.unique(modes.picks, axis=0)) == len(modes.picks)


def test_inputs_that_want_more_get_more() -> None:
    costs = Costs(problem())
    log_p = preferences()
    modes = choose_modes(log_p, log_p, costs, most=4, least_share=0.05)
    each = costs.of(modes.picks)[modes.chosen(log_p, costs)]
    bits = np.array(BITS)[modes.picks][modes.chosen(log_p, costs)]
    first, second = bits[0::2].mean(0), bits[1::2].mean(0)
    # The kinds want 2.6 and 4.6 bits in conv1, 3.4 and 2.8 in conv2.
    assert second[0] > first[0] + 0.5
    assert second[1] < first[1]
    assert each.mean() <= costs.limit


def test_the_mean_cost_falls_with_the_price() -> None:
    costs, log_p = Costs(problem()), preferences()
    picks = choose_modes(log_p, log_p, costs, most=6, least_share=0).picks
    prices = np.linspace(-20, 20, 81) ** 3
    curve = [mean_cost(ModeSet(picks=picks, price=p), log_p, costs) for p in prices]
    assert (np.diff(curve) <= 0).all()
    assert curve[0] == costs.of(picks).max()
    assert curve[-1] == costs.of(picks).min()


@pytest.mark.parametrize("blind", [False, True])
def test_one_mode_is_the_likeliest_static_policy_within_the_budget(blind: bool) -> None:
    costs, log_p = Costs(problem()), preferences(blind=blind)
    modes = choose_modes(log_p, log_p, costs, most=4 if blind else 1, least_share=0.05)
    assert len(modes.picks) == 1
    every = np.array(list(itertools.product(range(len(BITS)), repeat=3)))
    total = costs.of(every)
    good = every[(total <= costs.limit) & (total >= LEAST_SHARE * costs.limit)]
    best = good[fit(log_p, good).mean(0).argmax()]
    assert fit(log_p, modes.picks).mean() == pytest.approx(fit(log_p, best[None]).mean())


def test_where_no_static_policy_uses_98_percent_the_most_is_used() -> None:
    posed = replace(problem(), bits=(2, 6), limit=problem().costs.total(problem().uniform(2)) + 999)
    costs = Costs(posed)
    log_p = np.log(np.full((1, 3, 2), 0.5))
    assert costs.of(np.array([0, 0, 1])) > posed.limit
    assert static_pick(log_p, costs).tolist() == [0, 0, 0]


def test_scores_are_log_probabilities_less_the_price() -> None:
    costs, log_p = Costs(problem()), preferences(4)
    modes = ModeSet(picks=np.array([[0, 1, 2], [3, 0, 1]]), price=0.7)
    scores = modes.scores(log_p, costs)
    for n, m in itertools.product(range(4), range(2)):
        wanted = sum(log_p[n, layer, pick] for layer, pick in enumerate(modes.picks[m]))
        wanted -= 0.7 * costs.of(modes.picks[m]) / costs.limit
        assert scores[n, m] == pytest.approx(wanted)


@pytest.mark.parametrize("kind", ["bitops", "cycles"])
def test_a_decided_policy_expects_to_spend_what_its_bits_cost(kind: str) -> None:
    costs = Costs(problem(kind))
    picks = np.array([[0, 2, 1], [3, 1, 0]])
    decided = np.log(np.maximum(np.eye(len(BITS))[picks], 1e-300))
    np.testing.assert_allclose(costs.expected(decided), costs.of(picks))
