"""Requantisation as a count of thresholds."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.ir.graph import Op
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class Threshold(Op):
    """y[c] = least + #{k : x[c] >= thresholds[c, k]}; bipolar: -1 or +1 from one threshold.

    thresholds (C, 2**bits - 1), ascending along k. `bits`, `signed`, `bipolar` describe y.
    """

    x: str
    thresholds: Ints
    bits: int
    signed: bool = False
    bipolar: bool = False

    def __post_init__(self) -> None:
        assert self.thresholds.shape[1] == (1 << self.bits) - 1
        assert (np.diff(self.thresholds, axis=1) >= 0).all()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The accumulators."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """The stated type on x's shape."""
        (x,) = types
        return IntType(shape=x.shape, bits=self.bits, signed=self.signed, bipolar=self.bipolar)

    def run(self, *values: Ints) -> Ints:
        """(N, C, ...) -> same shape. Binary search per channel."""
        (x,) = values
        columns = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
        counts = np.stack(
            [
                np.searchsorted(t, c, side="right")
                for t, c in zip(self.thresholds, columns, strict=True)
            ]
        ).astype(np.int64)
        if self.bipolar:
            counts = 2 * counts - 1
        elif self.signed:
            counts -= 1 << (self.bits - 1)
        moved = np.moveaxis(x, 1, 0).shape
        return np.moveaxis(counts.reshape(moved), 0, 1)
