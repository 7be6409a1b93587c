"""The budget-aware regulariser: how many bits are on, how many the budget allows.

CSQ, as the authors' code has it ("Eq. 4" in a comment there):
loss + lambda * (r - target / N) * sum_l sum_b f(m_B), r the share of all masks that are on, a
constant, recomputed every step. It prunes above the target and grows below. Their r counts every
layer alike ("none"), where their abstract speaks of the total model size.

Differs: r weighs layers by their number of weights ("memory"). Ours: "budget" weighs them by what
one more bit costs in the budget's kind; the target follows from the budget; and two restraints for
short phases, where a step of all masks alike is long against the width of a gate: a layer is left
alone where one bit of it would overshoot, and bits grow from the highest downwards, since hardware
pays for holes between them.
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
    """(r - target / N) * sum of the soft masks that may give way. Shape ().

    A layer is left alone while one bit of it more, or less, would take r further from its target
    than it is. Below the target, bits grow downwards: none that lies below one that is off.
    """
    over = excess(gates, parts, target)
    counts = [each.soft_mask() * torch.where(over < 0, _growing(each), 1.0) for each in gates]
    soft = torch.stack([each.sum() for each in counts])
    reach = soft.new_tensor(parts) / len(gates[0].powers)  # what a bit of a layer changes r by
    return over * soft[reach <= 2 * over.abs()].sum()


def _growing(gates: Gates) -> Tensor:
    """1 down to the first bit that is off below the highest that is on, else 0. Shape (bits,)."""
    on = gates.kept().flip(0).to(gates.powers.dtype)  # highest bit first
    above = on.cumsum(0) - on  # how many are on above a bit
    first = on.cummax(0).values.cumsum(0) - 1  # its place below the highest that is on
    return ((above >= first) | (first <= 0)).to(on.dtype).flip(0)
