"""Pooling."""

from dataclasses import dataclass
from typing import final

from bitfold.ir.graph import Op
from bitfold.ir.ops.linear import sliding_windows, window_count
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class MaxPool(Op):
    """Greatest value in each window; outside the map stands the least value of the type."""

    x: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    fill: int = 0  # least value of x's type

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Same integers, smaller map."""
        (x,) = types
        height, width = window_count(x.shape, self.kernel, self.stride, self.pads)
        shape = (x.shape[0], height, width)
        return IntType(shape=shape, bits=x.bits, signed=x.signed, bipolar=x.bipolar)

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, C, OH, OW)."""
        (x,) = values
        windows = sliding_windows(x, self.kernel, self.stride, self.pads, self.fill)
        greatest: Ints = windows.max(axis=(4, 5))
        return greatest.transpose(0, 3, 1, 2)
