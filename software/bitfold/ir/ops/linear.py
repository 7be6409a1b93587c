"""Exact integer matrix products: convolution, dense layer, and a bias on top."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.ir.graph import Op
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

    x (C, H, W), weight (O, C, KH, KW), y (O, OH, OW). `pads` = top, left, bottom, right.
    """

    x: str
    weights: Weights
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

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
        height, width = window_count(x.shape, self.kernel, self.stride, self.pads)
        shape = (len(self.weights.values), height, width)
        return _output_type(self.weights.values, x, any(self.pads), shape)

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, O, OH, OW)."""
        (x,) = values
        windows = sliding_windows(x, self.kernel, self.stride, self.pads, fill=0)
        n, height, width = windows.shape[:3]
        rows = windows.reshape(n * height * width, -1)
        flat = exact_matmul(rows, self.weights.values.reshape(len(self.weights.values), -1).T)
        return flat.reshape(n, height, width, -1).transpose(0, 3, 1, 2)


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


def window_count(
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Windows that fit down and across, rounding down as ONNX does with ceil_mode = 0."""
    return (
        (shape[1] + pads[0] + pads[2] - kernel[0]) // stride[0] + 1,
        (shape[2] + pads[1] + pads[3] - kernel[1]) // stride[1] + 1,
    )


def sliding_windows(
    x: Ints,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    fill: int,
) -> Ints:
    """(N, C, H, W) -> (N, OH, OW, C, KH, KW); outside the map stands `fill`."""
    top, left, bottom, right = pads
    edges = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(x, edges, constant_values=fill) if any(pads) else x
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1]].transpose(0, 2, 3, 1, 4, 5)
