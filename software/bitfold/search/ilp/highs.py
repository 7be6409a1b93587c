"""The integer program as HiGHS solves it, through scipy."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import (
    Bounds,
    LinearConstraint,
    milp,
)

from bitfold.errors import BudgetError
from bitfold.search.ilp.limit import Bools, Floats, Limit, Picks

# The solver may break a constraint by its tolerance; then it is asked again with a little less.
_SLACKS = (0.0, 1e-6, 1e-5)
# It stops when the best possible is within 1e-6 of what it has; so values are scaled to this.
_LARGEST_VALUE = 1e4


def choose(value: Floats, limits: Sequence[Limit], allowed: Bools) -> Picks:
    """Minimise the summed `value` with each summed cost within its limit.

    Arguments and result as of `bitfold.search.ilp.choose`. Raises: BudgetError when none fits.
    """
    for slack in _SLACKS:
        picks = _solve(value, limits, allowed, slack)
        if all(limit.holds(picks) for limit in limits):
            return picks
    raise BudgetError("no choice of bits meets the budget exactly; raise it a little")


def _solve(value: Floats, limits: Sequence[Limit], allowed: Bools, slack: float) -> Picks:
    layers, w_count, a_count = value.shape
    one_each = np.kron(np.eye(layers), np.ones(w_count * a_count))
    constraints = [LinearConstraint(one_each, 1, 1)]
    for limit in limits:
        # Scaled because the solver's tolerances are absolute and costs run to 1e11.
        scale = max(abs(limit.most), float(np.abs(limit.table).max()), 1e-30)
        row = limit.table.reshape(1, -1) / scale
        least, most = ((end - math.fsum(limit.fixed)) / scale for end in (limit.least, limit.most))
        constraints.append(LinearConstraint(row, least + slack, most - slack))
    largest = max(float(np.abs(value).max()), 1e-30)
    result = milp(
        value.reshape(-1) * (_LARGEST_VALUE / largest),
        integrality=np.ones(value.size),
        bounds=Bounds(0, allowed.reshape(-1).astype(np.float64)),
        constraints=constraints,
        options={"mip_rel_gap": 0},
    )
    if result.x is None:
        raise BudgetError(f"no choice of bits meets the budget (solver: {result.message})")
    picks = result.x.reshape(layers, -1).argmax(1)
    return tuple((int(p) // a_count, int(p) % a_count) for p in picks)
