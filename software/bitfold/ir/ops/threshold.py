"""Requantisation as a count of thresholds."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.graph import Op
from bitfold.ir.types import Ints, IntType

Flags = NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class Threshold(Op):
    """y[c] = least + #{k : x[c] >= thresholds[c, k]}; bipolar: -1 or +1 from one threshold.

    thresholds (C, 2**bits - 1), ascending along k. `bits`, `signed`, `bipolar` describe y.
    flip (C,): channels that decrease with x. Their code is mirrored, to least + greatest - code,
    which inverts every bit of it. None: no channel.
    """

    x: str
    thresholds: Ints
    bits: int
    signed: bool = False
    bipolar: bool = False
    flip: Flags | None = None

    def __post_init__(self) -> None:
        assert self.thresholds.shape[1] == (1 << self.bits) - 1
        assert (np.diff(self.thresholds, axis=1) >= 0).all()
        assert self.flip is None or self.flip.shape == (len(self.thresholds),)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The accumulators."""
        return (self.x,)

    @property
    def flips(self) -> Flags:
        """`flip` spelled out, (C,)."""
        return np.zeros(len(self.thresholds), np.bool_) if self.flip is None else self.flip

    def infer(self, *types: IntType) -> IntType:
        """The stated type on x's shape."""
        (x,) = types
        assert x.channels == len(self.thresholds), (x, self.thresholds.shape)
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
        if self.flip is not None:
            counts[self.flip] = self.thresholds.shape[1] - counts[self.flip]
        if self.bipolar:
            counts = 2 * counts - 1
        elif self.signed:
            counts -= 1 << (self.bits - 1)
        moved = np.moveaxis(x, 1, 0).shape
        return np.moveaxis(counts.reshape(moved), 0, 1)
