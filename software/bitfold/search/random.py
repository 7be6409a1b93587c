"""The baseline of chance: a policy drawn among those that spend the budget.

No paper's. Each layer's pair of candidates is drawn with probability proportional to
exp(-tilt * cost), the tilt such that the mean cost meets the budget; a draw that spends 98 % to
100 % of it, within all budgets, is taken. Of policies that cost the same each is as likely as any
other, so this is as good as uniform over those that spend the budget. Where no draw does, the
first is repaired: bits are taken, or given, by a seeded random order of what hurts.
"""

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt
from torch import nn

from bitfold.policy import LayerBits
from bitfold.search.costs import Options
from bitfold.search.ilp import Bools, Floats, Limit
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.spend import LEAST_SHARE, nearest

Ints = npt.NDArray[np.int_]

DRAWS = 4096
_AIM = 0.99  # of the budget, that draws cost in the mean
_HALVINGS = 60  # of the interval that holds the tilt
_TILT = 500.0  # its ends, for costs scaled to at most 1


@final
class Random(Method):
    """Trains nothing; its phase has no epochs."""

    def __init__(self, problem: Problem, *, draw: int, tied: bool) -> None:
        self.problem, self.draw, self.tied = problem, draw, tied

    def prepare(self, model: nn.Module) -> None:
        """Nothing to swap."""

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Bits of every layer, as seed and draw decide. Raises: BudgetError."""
        problem = self.problem
        rng = np.random.default_rng((problem.seed, self.draw))
        options = problem.options(tied=self.tied)
        problem.check(options)
        found, allowed = problem.limits(options, LEAST_SHARE * problem.limit)
        drawn = _draws(_shares(problem, options, allowed), rng)
        for picks in drawn[_within(found, drawn)]:
            policy = _policy(problem, options, picks)
            if problem.keeps(policy):
                return policy
        w_harm, a_harm = (
            {layer.name: float(h) for layer, h in zip(problem.searched, row, strict=True)}
            for row in rng.uniform(0.5, 1.5, (2, len(problem.searched)))
        )
        return nearest(problem, options, _policy(problem, options, drawn[0]), w_harm, a_harm)


def _shares(problem: Problem, options: Options, allowed: Bools) -> Floats:
    """Probability of each option. Shape (layers, options)."""
    table = problem.costs.table(problem.searched, options).reshape(len(options), -1)
    open_ = allowed.reshape(table.shape)
    if problem.costs.kind == "cycles":  # no sum to tilt towards
        even: Floats = open_ / open_.sum(1, keepdims=True)
        return even
    wanted = _AIM * problem.limit - problem.fixed_cost
    share, low, high = np.empty_like(table), -_TILT, _TILT
    for _ in range(_HALVINGS):
        tilt = (low + high) / 2
        power = np.where(open_, -tilt * table / table.max(), -np.inf)
        share = np.exp(power - power.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        low, high = (tilt, high) if (share * table).sum() > wanted else (low, tilt)
    return share


def _draws(share: Floats, rng: np.random.Generator) -> Ints:
    """Options by index. Shape (DRAWS, layers)."""
    points = rng.random((DRAWS, len(share), 1))
    drawn: Ints = (points > share.cumsum(1)[:, :-1]).sum(2)
    return drawn


def _within(limits: Sequence[Limit], drawn: Ints) -> Bools:
    """Which draws keep the limits. Shape (draws,)."""
    kept = np.ones(len(drawn), dtype=np.bool_)
    layers = np.arange(drawn.shape[1])
    for limit in limits:
        table = limit.table.reshape(len(layers), -1)
        sums = table[layers, drawn].sum(1) + sum(limit.fixed)
        kept &= (sums >= limit.least) & (sums <= limit.most)
    return kept


def _policy(problem: Problem, options: Options, picks: Ints) -> dict[str, LayerBits]:
    chosen = {
        layer.name: [bits for row in rows for bits in row][int(pick)]
        for layer, rows, pick in zip(problem.searched, options, picks, strict=True)
    }
    return problem.complete(chosen)
