"""The entry: the exact solver made for this problem, and HiGHS where that gives up."""

from collections.abc import Sequence

from bitfold.search.ilp import highs, knapsack
from bitfold.search.ilp.limit import Bools, Floats, Limit, Picks


def choose(value: Floats, limits: Sequence[Limit], allowed: Bools) -> Picks:
    """Minimise the summed `value` with each summed cost within its limit.

    `value`, each cost table and `allowed` have shape (layers, weight candidates, activation
    candidates). Returns one allowed pair of candidate indices per layer.
    Raises: BudgetError when none fits.
    """
    picks = knapsack.choose(value, limits, allowed)
    return highs.choose(value, limits, allowed) if picks is None else picks
