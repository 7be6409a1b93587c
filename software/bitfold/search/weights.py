"""What methods that search weight bits alone share: costs per bit, and ending at the budget.

No paper's; every such method steers towards its target by a penalty and ends near it, and `fit`
closes the rest of the gap.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from bitfold.policy import MAX_BITS, LayerBits
from bitfold.search.ilp import Floats
from bitfold.search.problem import Problem, layer_shape
from bitfold.search.spend import nearest

Reweigh = Literal["memory", "budget", "none"]


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


def shares(problem: Problem, a_bits: int, reweigh: Reweigh) -> Floats:
    """What each searched layer counts against the others; sums to 1. Shape (layers,).

    By its number of weights ("memory"), by what one more bit of it costs in the budget's kind
    ("budget", of sizes the same), or each alike ("none").
    """
    if reweigh == "budget":
        return pressure(problem, a_bits)
    layers = problem.searched
    counts = [layer_shape(layer).weights if reweigh == "memory" else 1 for layer in layers]
    return np.array(counts, dtype=np.float64) / max(sum(counts), 1)


def check(problem: Problem, a_bits: int) -> None:
    """Raise BudgetError unless some weight bits, with activations of `a_bits`, keep the budgets."""
    pairs = [[LayerBits(w_bits=w, a_bits=a_bits)] for w in problem.bits]
    problem.check([pairs for _ in problem.searched])


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
    options = [
        [[LayerBits(w_bits=w, a_bits=wanted[layer.name].a_bits)] for w in candidates]
        for layer in problem.searched
    ]
    return nearest(problem, options, wanted, harm, harm)
