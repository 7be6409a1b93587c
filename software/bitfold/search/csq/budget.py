"""The budget-aware regulariser: how many bits are on, how many the budget allows.

CSQ, as the authors' code has it ("Eq. 4" in a comment there):
loss + lambda * (r - target / N) * sum_l sum_b f(m_B), r the share of all masks that are on, a
constant, recomputed every step. It prunes above the target and grows below. Their r counts every
layer alike ("none"), where their abstract speaks of the total model size.

Differs: r weighs layers by their number of weights ("memory"). Ours: "budget" weighs them by what
one more bit costs in the budget's kind; the target follows from the budget.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bitfold.policy import MAX_BITS
from bitfold.search.csq.gates import Gates
from bitfold.search.problem import Problem
from bitfold.search.weights import bit_costs, weight_budget


def target_bits(problem: Problem, a_bits: int, most: int) -> float:
    """Magnitude bits, 1..`most`, that spend the budget when every layer has them.

    Between whole numbers, where the cost is interpolated. Weights are stored with their sign: n
    magnitude bits take n + 1. Costs that fall with a bit (of LUTs) count as flat.
    """
    costs = bit_costs(problem, a_bits)
    totals = np.maximum.accumulate([problem.costs.join(column.tolist()) for column in costs.T])
    stored = np.interp(weight_budget(problem, a_bits), totals, np.arange(1, MAX_BITS + 1))
    return float(np.clip(stored - 1, 1, most))


def excess(gates: Sequence[Gates], parts: Sequence[float], target: float) -> Tensor:
    """r - target / N, a constant; `parts` are the layers' shares. Shape ()."""
    on = [part * each.kept().sum() for part, each in zip(parts, gates, strict=True)]
    return (torch.stack(on).sum() - target) / len(gates[0].powers)


def regulariser(gates: Sequence[Gates], parts: Sequence[float], target: float) -> Tensor:
    """(r - target / N) * sum of all soft masks. Shape ()."""
    soft = torch.stack([each.soft_mask().sum() for each in gates]).sum()
    return excess(gates, parts, target) * soft
