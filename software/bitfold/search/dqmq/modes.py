"""Which precision modes a network gets, and the price that steers their mean cost.

A mode is one bit vector, with a threshold set of its own in hardware; so there are few. An input
takes the mode with the greatest score: log p(mode | input) - price * cost(mode) / limit. The mean
cost over inputs falls as the price rises, so one number meets a budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from bitfold.search.problem import Problem
from bitfold.search.spend import LEAST_SHARE, choose_spending

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARGIN = 0.999  # of the budget, aimed at
SAMPLE = 8192  # inputs that modes are chosen on
POOL = 256  # bit vectors that modes are chosen from
# Mean costs, over the limit, at which vectors are collected and sets of them are tried.
SPREAD = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6)
STEPS = 60  # bisections of a price
MOST_PRICE = 1e6


@final
@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of bit vectors whose layers have the same bits for weights and activations."""

    problem: Problem

    @cached_property
    def table(self) -> Floats:
        """Cost of each candidate in each searched layer. Shape (layers, candidates)."""
        problem = self.problem
        return problem.costs.table(problem.searched, problem.options(tied=True))[:, :, 0]

    @property
    def limit(self) -> float:
        """The budget."""
        return self.problem.limit

    @property
    def slowest_counts(self) -> bool:
        """Whether a total is the greatest part, not the sum."""
        return self.problem.costs.kind == "cycles"

    def of(self, picks: Ints) -> Floats:
        """Costs of bit vectors, as candidate indices. (..., layers) -> (...)"""
        return self._whole(self.table[np.arange(len(self.table)), picks])

    def expected(self, log_p: Floats) -> Floats:
        """Costs of the expected bits. (N, layers, candidates) -> (N,)"""
        return self._whole((np.exp(log_p) * self.table).sum(2))

    def _whole(self, parts: Floats) -> Floats:
        """Cost of a network from its layers', which are the last axis."""
        fixed = self.problem.fixed_cost
        whole: Floats = np.asarray(parts.max(-1) if self.slowest_counts else parts.sum(-1))
        return np.maximum(whole, fixed) if self.slowest_counts else whole + fixed


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ModeSet:
    """Bit vectors `picks` (modes, layers), cheapest first, as candidate indices; and the price."""

    picks: Ints
    price: float

    def scores(self, log_p: Floats, costs: Costs) -> Floats:
        """log_p (N, layers, candidates) -> (N, modes)."""
        return fit(log_p, self.picks) - self.price * costs.of(self.picks) / costs.limit

    def chosen(self, log_p: Floats, costs: Costs) -> Ints:
        """Mode of each input. (N,)"""
        best: Ints = self.scores(log_p, costs).argmax(1)
        return best


def fit(log_p: Floats, picks: Ints) -> Floats:
    """Log probability of bit vectors. (N, layers, candidates), (modes, layers) -> (N, modes)."""
    n, layers, count = log_p.shape
    hot = np.eye(count)[picks].reshape(len(picks), layers * count)
    return log_p.reshape(n, -1) @ hot.T


def choose_modes(
    train: Floats, validation: Floats, costs: Costs, *, most: int, least_share: float
) -> ModeSet:
    """At most `most` modes whose mean cost on the validation inputs lies within the budget.

    train, validation: log probabilities (N, layers, candidates) of inputs. Modes are the bit
    vectors that the policy itself prefers, as many as help; each input of a vector that is left
    out goes to the mode with the next best score, cheaper or dearer. No mode serves less than
    `least_share` of the training inputs. Of the sets tried, the one under which inputs have their
    likeliest bits. Where none can use 98 % of the budget (a policy that does not see the input,
    say), the result is one static mode.
    """
    some = train[:: -(-len(train) // SAMPLE)]
    found = []
    if most > 1:
        pool, prices = _pool(some, costs)
        likely = fit(some, pool)
        shares = costs.of(pool) / costs.limit
        for price in prices:
            picks = pool[_greedy(likely - price * shares, most)]
            picks = _spanning(picks, pool, some, costs)
            modes = _without_rare(picks, some, validation, costs, least_share)
            if modes is not None:
                found.append(modes)
    if not found:
        return ModeSet(picks=static_pick(some, costs)[None], price=0.0)
    return max(found, key=lambda modes: _reached(modes, some, costs))


def static_pick(log_p: Floats, costs: Costs) -> Ints:
    """The one bit vector with the greatest mean log probability within the budget. (layers,)

    Uses at least 98 % of it where any does, else as much as possible. Raises: BudgetError.
    """
    problem = costs.problem
    chosen = choose_spending(problem, problem.options(tied=True), -log_p.mean(0)[:, :, None])
    return np.array([problem.bits.index(chosen[layer.name].w_bits) for layer in problem.searched])


def _reached(modes: ModeSet, log_p: Floats, costs: Costs) -> float:
    """Mean log probability of the bits that inputs get."""
    rows = np.arange(len(log_p))
    return float(fit(log_p, modes.picks)[rows, modes.chosen(log_p, costs)].mean())


def _pool(log_p: Floats, costs: Costs) -> tuple[Ints, list[float]]:
    """Vectors that inputs prefer at prices around the budget, and those prices."""
    shares = costs.table / costs.limit

    def vectors(price: float) -> Ints:
        best: Ints = (log_p - price * shares).argmax(2)
        return best

    def mean_cost(price: float) -> float:
        return float(costs.of(vectors(price)).mean())

    prices = [_bisect(mean_cost, share * costs.limit) for share in SPREAD]
    found = np.concatenate([vectors(price) for price in prices])
    unique, counts = np.unique(found, axis=0, return_counts=True)
    kept = unique[np.argsort(-counts, kind="stable")[:POOL]]
    ends = np.repeat([[0], [log_p.shape[2] - 1]], log_p.shape[1], axis=1)
    return np.unique(np.concatenate([kept, ends]), axis=0), prices


def _greedy(scores: Floats, most: int) -> Ints:
    """Up to `most` columns of scores (N, vectors) that raise the mean best score most."""
    best = np.full(len(scores), -np.inf)
    picks: list[int] = []
    for _ in range(min(most, scores.shape[1])):
        raised = np.maximum(scores, best[:, None])
        gains = raised.mean(0)
        pick = int(gains.argmax())
        if picks and gains[pick] <= best.mean():
            break
        picks.append(pick)
        best = raised[:, pick]
    return np.array(sorted(picks))


def _spanning(picks: Ints, pool: Ints, log_p: Floats, costs: Costs) -> Ints:
    """The modes, with one exchanged where all cost more, or all less, than the budget."""
    likely = fit(log_p, pool).mean(0)
    for side in (-1, 1):
        inside = side * (costs.of(pool) - costs.limit) >= 0
        if (side * (costs.of(picks) - costs.limit) >= 0).any() or not inside.any():
            continue
        new = pool[inside][likely[inside].argmax()]
        used = np.bincount(fit(log_p, picks).argmax(1), minlength=len(picks))
        if len(picks) > 1:
            picks = np.delete(picks, used.argmin(), axis=0)
        picks = np.concatenate([picks, new[None]])
    return picks


def _priced(picks: Ints, log_p: Floats, costs: Costs) -> ModeSet | None:
    """The modes at the price that just meets the budget; None if too little of it is used."""
    ordered = picks[np.argsort(costs.of(picks), kind="stable")]
    each = costs.of(ordered)

    def mean_cost(price: float) -> float:
        found = ModeSet(picks=ordered, price=price)
        return float(each[found.chosen(log_p, costs)].mean())

    least = _bisect(mean_cost, MARGIN * costs.limit)
    used = mean_cost(least)
    if not LEAST_SHARE * costs.limit <= used <= costs.limit:
        return None
    # Half way to where the next input changes its mode: float32 may not decide otherwise.
    return ModeSet(picks=ordered, price=(least + _bisect(mean_cost, used * (1 - 1e-9))) / 2)


def _without_rare(
    picks: Ints, train: Floats, validation: Floats, costs: Costs, least_share: float
) -> ModeSet | None:
    """Leave out the rarest mode until each serves enough inputs; None if that leaves no two."""
    while len(picks) > 1 and (found := _priced(picks, validation, costs)) is not None:
        chosen = found.chosen(train, costs)
        shares = np.bincount(chosen, minlength=len(picks)) / len(chosen)
        if shares.min() >= least_share:
            return found
        picks = np.delete(found.picks, shares.argmin(), axis=0)
    return None


def _bisect(mean_cost: Callable[[float], float], wanted: float) -> float:
    """The least price, to within the bisection, at which `mean_cost`, falling, is <= wanted."""
    low, high = -1.0, 1.0
    while mean_cost(high) > wanted and high < MOST_PRICE:
        high *= 4
    while mean_cost(low) <= wanted and low > -MOST_PRICE:
        low *= 4
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if mean_cost(middle) <= wanted else (middle, high)
    return high
