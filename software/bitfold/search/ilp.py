"""Choosing one bit pair per layer by an integer program (HiGHS through scipy)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from bitfold.errors import BudgetError

Floats = npt.NDArray[np.float64]


def choose(
    value: Floats, limits: Sequence[tuple[Floats, float]], allowed: npt.NDArray[np.bool_]
) -> tuple[tuple[int, int], ...]:
    """Minimise the summed `value` with each summed cost within its limit.

    `value`, each cost table and `allowed` have shape (layers, weight candidates, activation
    candidates); one allowed pair of indices per layer is returned. Raises: BudgetError when none fits.
    """
    layers, w_count, a_count = value.shape
    one_each = np.kron(np.eye(layers), np.ones(w_count * a_count))
    constraints = [LinearConstraint(one_each, 1, 1)]
    # Scaled to 1 because the solver's tolerances are absolute; costs run to 1e11.
    constraints += [
        LinearConstraint(table.reshape(1, -1) / limit, -np.inf, 1) for table, limit in limits
    ]
    result = milp(
        value.reshape(-1),
        integrality=np.ones(value.size),
        bounds=Bounds(0, allowed.reshape(-1).astype(np.float64)),
        constraints=constraints,
        options={"mip_rel_gap": 0},
    )
    if result.x is None:
        raise BudgetError(f"no choice of bits meets the budget (solver: {result.message})")
    picks = result.x.reshape(layers, -1).argmax(1)
    return tuple((int(p) // a_count, int(p) % a_count) for p in picks)
