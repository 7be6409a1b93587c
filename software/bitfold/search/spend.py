"""Choosing options so that the budget is not only kept but spent."""

import math
from collections.abc import Mapping

import numpy as np

from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.search.costs import Options
from bitfold.search.ilp import Floats, choose, total
from bitfold.search.problem import Problem

LEAST_SHARE = 0.98  # of the budget, wherever any choice spends that
_RAISE = 1e-3  # what a bit more costs, against the mean harm of a bit less
_ALMOST = 0.999  # of the most possible: as near as the solver's tolerance lets it come


def nearest(
    problem: Problem,
    options: Options,
    wanted: Mapping[str, LayerBits],
    w_harm: Mapping[str, float],
    a_harm: Mapping[str, float],
) -> dict[str, LayerBits]:
    """The policy nearest to `wanted` that keeps the budgets and spends 98 % of the first.

    A bit less of a layer's weights or activations costs its harm (>= 0, but never nothing); a bit
    more is nearly free, most so where harm is largest. The mappings name at least the searched
    layers. Where no choice spends 98 %, the result spends the most that is possible. Returns the
    bits of every layer. Raises: BudgetError when no choice keeps the budgets.
    """
    names = [layer.name for layer in problem.searched]
    harm = np.array([(w_harm[name], a_harm[name]) for name in names])[:, None, None]
    harm = np.maximum(harm / harm.mean(), _RAISE) if harm.any() else np.ones_like(harm)
    more = _RAISE * (2 - harm / harm.max())
    bits = np.array([[[(b.w_bits, b.a_bits) for b in row] for row in rows] for rows in options])
    change = bits - np.array([(wanted[n].w_bits, wanted[n].a_bits) for n in names])[:, None, None]
    value = np.where(change < 0, -change * harm, change * more).sum(-1)
    return choose_spending(problem, options, value)


def choose_spending(problem: Problem, options: Options, value: Floats) -> dict[str, LayerBits]:
    """Minimise `value` (shape as `options`) within the budgets, spending 98 % of the first.

    Where no choice does, the result spends the most that is possible, or 0.1 % less. Returns the
    bits of every layer. Raises: BudgetError when no choice keeps the budgets.
    """
    try:
        return choose_policy(problem, options, value, LEAST_SHARE * problem.limit)
    except BudgetError:
        problem.check(options)
        return choose_policy(problem, options, value, _ALMOST * _most(problem, options))


def choose_policy(
    problem: Problem, options: Options, value: Floats, least: float = -np.inf
) -> dict[str, LayerBits]:
    """Minimise `value` (shape as `options`) within the budgets, spending `least` of the first.

    Returns the bits of every layer. Raises: BudgetError when no choice does.
    """
    picks = choose(value, *problem.limits(options, least))
    return problem.complete(
        {
            layer.name: options[i][w][a]
            for i, (layer, (w, a)) in enumerate(zip(problem.searched, picks, strict=True))
        }
    )


def _most(problem: Problem, options: Options) -> float:
    """The most that can be spent; some choice keeps the budgets."""
    table = problem.costs.table(problem.searched, options)
    if problem.costs.kind != "cycles":
        picks = choose(-table, *problem.limits(options))
        return math.fsum([total(table, picks), *problem.fixed_costs(problem.costs)])
    for cost in sorted(set(table[table <= problem.limit].tolist()), reverse=True):
        try:
            choose(np.zeros(table.shape), *problem.limits(options, cost))
        except BudgetError:  # the other budgets forbid it
            continue
        return float(cost)
    return problem.fixed_cost
