"""What a choice of one option per layer may cost."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Picks = tuple[tuple[int, int], ...]  # weight and activation candidate of each layer, by index


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Limit:
    """`least` <= summed cost <= `most`. Table (layers, weight candidates, activation ones)."""

    table: Floats
    most: float
    least: float = -math.inf
    fixed: tuple[float, ...] = ()  # costs of what is not chosen; part of the sum

    def holds(self, picks: Picks) -> bool:
        """Whether this choice keeps the limit, exactly."""
        chosen = [float(self.table[layer, w, a]) for layer, (w, a) in enumerate(picks)]
        return self.least <= math.fsum([*self.fixed, *chosen]) <= self.most


def total(table: Floats, picks: Picks) -> float:
    """Sum of the table's entries that were picked."""
    return math.fsum(table[layer, w, a] for layer, (w, a) in enumerate(picks))
