"""Pooling: the greatest or the sum of each window."""

from dataclasses import dataclass, replace
from typing import final

from bitfold.ir.graph import Op
from bitfold.ir.ops.window import sliding_windows, window_count
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
        return replace(x, shape=(x.shape[0], height, width))

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, C, OH, OW)."""
        (x,) = values
        windows = sliding_windows(x, self.kernel, self.stride, self.pads, fill=self.fill)
        greatest: Ints = windows.max(axis=(4, 5))
        return greatest.transpose(0, 3, 1, 2)


@final
@dataclass(frozen=True, eq=False)
class SumPool(Op):
    """Sum of each window; outside the map stands 0. A mean is this sum with a smaller scale."""

    x: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Wide enough for a window of extremes."""
        (x,) = types
        height, width = window_count(x.shape, self.kernel, self.stride, self.pads)
        low, high = (min(x.min, 0), max(x.max, 0)) if any(self.pads) else (x.min, x.max)
        count = self.kernel[0] * self.kernel[1]
        return IntType.holding(count * low, count * high, (x.shape[0], height, width))

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, C, OH, OW)."""
        (x,) = values
        windows = sliding_windows(x, self.kernel, self.stride, self.pads, fill=0)
        total: Ints = windows.sum(axis=(4, 5))
        return total.transpose(0, 3, 1, 2)
