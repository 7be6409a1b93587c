"""Choosing one bit pair per layer by an integer program (HiGHS through scipy)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import (  # type: ignore[import-untyped]  # ships no stubs
    Bounds,
    LinearConstraint,
    milp,
)

from bitfold.errors import BudgetError

Floats = npt.NDArray[np.float64]
Picks = tuple[tuple[int, int], ...]

# The solver may break a constraint by its tolerance; then it is asked again with a little less.
_SLACKS = (0.0, 1e-6, 1e-5)


def choose(
    value: Floats, limits: Sequence[tuple[Floats, float]], allowed: npt.NDArray[np.bool_]
) -> Picks:
    """Minimise the summed `value` with each summed cost within its limit.

    `value`, each cost table and `allowed` have shape (layers, weight candidates, activation
    candidates). Returns one allowed pair of candidate indices per layer.
    Raises: BudgetError when none fits.
    """
    for slack in _SLACKS:
        picks = _solve(value, limits, allowed, slack)
        if all(total(table, picks) <= limit for table, limit in limits):
            return picks
    raise BudgetError("no choice of bits meets the budget exactly; raise it a little")


def total(table: Floats, picks: Picks) -> float:
    """Sum of the table's entries that were picked."""
    return float(sum(table[layer, w, a] for layer, (w, a) in enumerate(picks)))


def _solve(
    value: Floats,
    limits: Sequence[tuple[Floats, float]],
    allowed: npt.NDArray[np.bool_],
    slack: float,
) -> Picks:
    layers, w_count, a_count = value.shape
    one_each = np.kron(np.eye(layers), np.ones(w_count * a_count))
    constraints = [LinearConstraint(one_each, 1, 1)]
    for table, limit in limits:
        # Scaled because the solver's tolerances are absolute and costs run to 1e11.
        scale = max(limit, float(table.max()), 1e-30)
        most = (limit - slack * scale) / scale
        constraints.append(LinearConstraint(table.reshape(1, -1) / scale, -np.inf, most))
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
