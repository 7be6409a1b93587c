"""A problem's budget as limits of the integer program."""

from collections.abc import Sequence

import numpy as np

from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.search.ilp import Bools, Floats, Limit, Picks, choose, total
from bitfold.search.problem import Problem

# Bits of each layer's choices: layers x weight candidates x activation candidates.
Options = Sequence[Sequence[Sequence[LayerBits]]]

_ALMOST = 0.999  # of the most that can be spent: as near as the solver's tolerance lets it come


def option_costs(problem: Problem, options: Options) -> Floats:
    """Cost of each option of each searched layer, in the budget's unit. Shape as `options`."""
    costs = [
        [[problem.costs.layer(layer, bits.w_bits, bits.a_bits) for bits in row] for row in rows]
        for layer, rows in zip(problem.searched, options, strict=True)
    ]
    return np.array(costs, dtype=np.float64)


def limits(
    problem: Problem, table: Floats, least: float = -np.inf
) -> tuple[tuple[Limit, ...], Bools]:
    """Limits and allowed options such that `least` <= cost of the policy <= the budget.

    `table` are the options' costs; its shape is that of what is allowed.
    """
    if problem.costs.kind != "cycles":
        limit = Limit(table=table, most=problem.limit, least=least, fixed=problem.fixed_costs)
        return (limit,), np.ones(table.shape, dtype=np.bool_)
    # The slowest layer counts: each must be fast enough, and one as slow as the least.
    allowed = table <= problem.limit
    if problem.fixed_cost >= least:
        return (), allowed
    slow = (table >= least).astype(np.float64)
    return (Limit(table=slow, most=len(table), least=1),), allowed


def choose_spending(problem: Problem, value: Floats, table: Floats, share: float) -> Picks:
    """Minimise `value` within the budget, spending at least `share` of it.

    Where no choice does, the result spends the most that is possible, or 0.1 % less.
    Shapes (layers, weight candidates, activation candidates). Raises: BudgetError when no choice
    keeps the budget.
    """
    try:
        return choose(value, *limits(problem, table, share * problem.limit))
    except BudgetError:
        return choose(value, *limits(problem, table, _ALMOST * _most(problem, table)))


def _most(problem: Problem, table: Floats) -> float:
    """The most that can be spent within the budget. Raises: BudgetError."""
    found, allowed = limits(problem, table)
    if not allowed.any((1, 2)).all():
        raise BudgetError(_impossible(problem, table))
    if problem.costs.kind == "cycles":
        return float(max(problem.fixed_cost, table[allowed].max()))
    try:
        return problem.fixed_cost + total(table, choose(-table, found, allowed))
    except BudgetError:
        raise BudgetError(_impossible(problem, table)) from None


def _impossible(problem: Problem, table: Floats) -> str:
    least = problem.costs.join([problem.fixed_cost, *table.min((1, 2))])
    return (
        f"[budget] {problem.costs.kind} {problem.limit:g} cannot be met with these activation "
        f"bits: the least possible is {least:g}. Raise the budget or lower a_bits"
    )
