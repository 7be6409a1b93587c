"""Exact integer matrix products: convolution, dense layer, and a bias on top."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.ir.graph import Op
from bitfold.ir.ops.window import sliding_windows, window_count
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class Weights:
    """Integer weights and their declared width: two's complement, or bipolar (-1, +1).

    values: (O, I, KH, KW) for a convolution, (O, I) for a dense layer.
    """

    values: Ints
    bits: int
    bipolar: bool = False

    def __post_init__(self) -> None:
        low, high = (-1, 1) if self.bipolar else (-(1 << self.bits - 1), (1 << self.bits - 1) - 1)
        assert self.values.dtype == np.int64
        assert self.values.size
        assert int(self.values.min()) >= low
        assert int(self.values.max()) <= high
        assert not (self.bipolar and (self.bits != 1 or (self.values == 0).any()))


def _output_type(weights: Ints, x: IntType, padded: bool, shape: tuple[int, ...]) -> IntType:
    """Range of each row's dot product with any x of its type; padding adds zeros."""
    rows = weights.reshape(len(weights), -1)
    x_min, x_max = (min(x.min, 0), max(x.max, 0)) if padded else (x.min, x.max)
    low = np.where(rows < 0, x_max, x_min) * rows
    high = np.where(rows < 0, x_min, x_max) * rows
    return IntType.holding(int(low.sum(1).min()), int(high.sum(1).max()), shape)


@final
@dataclass(frozen=True, eq=False)
class Conv(Op):
    """y[o, p] = sum_k weight[o, k] * x[window p, k]; outside the map x is 0.

    x (C, H, W), weight (O, C / groups, KH, KW), y (O, OH, OW). `pads` = top, left, bottom, right.
    Output o reads the C / groups channels of group o // (O / groups): groups = C is depthwise.
    One-dimensional maps are (C, 1, L).
    """

    x: str
    weights: Weights
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    @property
    def kernel(self) -> tuple[int, int]:
        """(KH, KW)."""
        shape = self.weights.values.shape
        return shape[2], shape[3]

    def infer(self, *types: IntType) -> IntType:
        """Output map and the width that any input needs."""
        (x,) = types
        outputs, depth = self.weights.values.shape[:2]
        assert x.channels == depth * self.groups, (x, self.weights.values.shape, self.groups)
        assert outputs % self.groups == 0, (outputs, self.groups)
        height, width = window_count(x.shape, self.kernel, self.stride, self.pads, self.dilation)
        shape = (outputs, height, width)
        return _output_type(self.weights.values, x, any(self.pads), shape)

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, O, OH, OW)."""
        (x,) = values
        weights = self.weights.values
        windows = sliding_windows(
            x, self.kernel, self.stride, self.pads, fill=0, dilation=self.dilation
        )
        n, height, width, channels = windows.shape[:4]
        if weights.shape[1] == 1:
            return self._depthwise(windows)
        # One matrix product a group: (groups, pixels, inputs) @ (groups, inputs, outputs).
        grouped = windows.reshape(
            n * height * width, self.groups, channels // self.groups * weights[0, 0].size
        )
        rows = weights.reshape(self.groups, len(weights) // self.groups, -1)
        flat = exact_matmul(grouped.transpose(1, 0, 2), rows.transpose(0, 2, 1))
        return flat.transpose(1, 0, 2).reshape(n, height, width, -1).transpose(0, 3, 1, 2)

    def _depthwise(self, windows: Ints) -> Ints:
        """Tap by tap, so that no copy of all windows is made."""
        weights = self.weights.values
        source = np.arange(len(weights)) // (len(weights) // self.groups)
        y = np.zeros((*windows.shape[:3], len(weights)), np.int64)
        for row, column in np.ndindex(*self.kernel):
            y += windows[:, :, :, source, row, column] * weights[:, 0, row, column]
        return y.transpose(0, 3, 1, 2)


@final
@dataclass(frozen=True, eq=False)
class Dense(Op):
    """y[n] = sum_k weight[n, k] * x[k], exact. x (K,), weight (N, K), y (N,)."""

    x: str
    weights: Weights

    @property
    def inputs(self) -> tuple[str, ...]:
        """The vector."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Width that any input needs."""
        (x,) = types
        return _output_type(self.weights.values, x, False, (len(self.weights.values),))

    def run(self, *values: Ints) -> Ints:
        """(N, K) -> (N, outputs)."""
        (x,) = values
        return exact_matmul(x, self.weights.values.T)


@final
@dataclass(frozen=True, eq=False)
class AddBias(Op):
    """y[c, ...] = x[c, ...] + bias[c]."""

    x: str
    bias: Ints

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensor."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Widened by the extreme biases."""
        (x,) = types
        return IntType.holding(x.min + int(self.bias.min()), x.max + int(self.bias.max()), x.shape)

    def run(self, *values: Ints) -> Ints:
        """Broadcast over the channel axis."""
        (x,) = values
        return x + self.bias.reshape(1, -1, *([1] * (x.ndim - 2)))


def exact_matmul(a: Ints, b: Ints) -> Ints:
    """a @ b in integers. Float64 BLAS is exact below 2**53 and far faster than int64 loops."""
    bound = float(np.abs(a).max(initial=0)) * float(np.abs(b).max(initial=0)) * a.shape[-1]
    if bound < 2.0**53:
        return np.asarray(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return a @ b
