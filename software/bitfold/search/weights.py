"""What methods that search weight bits alone share: costs per bit, and ending at the budget.

No paper's; every such method steers towards its target by a penalty and ends near it, and `fit`
closes the rest of the gap.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bitfold.policy import MAX_BITS, LayerBits
from bitfold.search.ilp import Floats
from bitfold.search.limits import choose_spending, option_costs
from bitfold.search.problem import Problem

LEAST_SHARE = 0.98  # of the budget, that `fit` spends where any choice does
_RAISE = 1e-3  # what a bit more costs, against the mean harm of a bit less


def activation_bits(problem: Problem, a_bits: int | None, like_uniform: int | None) -> int:
    """Bits of every searched layer's activations: as set, else the budget's width, else 8."""
    return a_bits or like_uniform or MAX_BITS


def bit_costs(problem: Problem, a_bits: int) -> Floats:
    """Cost of each searched layer at 1..8 weight bits, in the budget's unit. Shape (layers, 8).

    Of average bits and LUTs it holds the activations' share too.
    """
    widths = range(1, MAX_BITS + 1)
    costs = [[problem.costs.layer(layer, w, a_bits) for w in widths] for layer in problem.searched]
    return np.array(costs, dtype=np.float64).reshape(len(problem.searched), MAX_BITS)


def weight_budget(problem: Problem, a_bits: int) -> float:
    """What `bit_costs` of the chosen bits may sum to; of cycles, what each of them may be."""
    return problem.limit - (0 if problem.costs.kind == "cycles" else problem.fixed_cost)


def pressure(problem: Problem, a_bits: int) -> Floats:
    """Relative cost of one more weight bit of each searched layer; sums to 1. Shape (layers,).

    The mean over 1..8 bits. Where LUTs fall, because a memory moves into block RAM, the step
    counts as nothing.
    """
    steps = np.diff(bit_costs(problem, a_bits), axis=1).clip(min=0).mean(1)
    if not steps.any():
        return np.full(len(steps), 1 / max(len(steps), 1))
    return np.asarray(steps / steps.sum(), dtype=np.float64)


def fit(
    problem: Problem,
    wanted: Mapping[str, LayerBits],
    harm: Mapping[str, float],
    candidates: Sequence[int],
) -> dict[str, LayerBits]:
    """The policy nearest to `wanted` that keeps the budget and spends at least 98 % of it.

    Weight bits come from `candidates` (1..8, ascending); activations keep the bits of `wanted`,
    which names at least the searched layers. A bit less in a layer costs `harm` (>= 0) of that
    layer; a bit more is nearly free, most so where harm is largest. Where no choice spends 98 %,
    the result spends the most that is possible. Returns the bits of every layer.
    Raises: BudgetError when none keeps the budget.
    """
    layers = problem.searched
    if not layers:
        return problem.complete({})
    options = [
        [[LayerBits(w_bits=w, a_bits=wanted[layer.name].a_bits)] for w in candidates]
        for layer in layers
    ]
    table = option_costs(problem, options)
    distance = np.array(candidates)[None, :] - np.array(
        [[wanted[layer.name].w_bits] for layer in layers]
    )
    value = _changes(distance, np.array([harm[layer.name] for layer in layers], dtype=np.float64))
    picks = choose_spending(problem, value[:, :, None], table, LEAST_SHARE)
    chosen = {
        layer.name: options[i][w][a]
        for i, (layer, (w, a)) in enumerate(zip(layers, picks, strict=True))
    }
    return problem.complete(chosen)


def _changes(distance: npt.NDArray[np.int_], harm: Floats) -> Floats:
    """What each change of bits costs. Shapes (layers, candidates), (layers,)."""
    harm = harm / harm.mean() if harm.any() else np.ones_like(harm)
    more = _RAISE * (2 - harm / harm.max())
    return np.where(distance < 0, -distance * harm[:, None], distance * more[:, None])
