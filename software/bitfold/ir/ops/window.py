"""Sliding windows over maps: how many there are, and what they hold."""

import numpy as np

from bitfold.ir.types import Ints

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]  # top, left, bottom, right


def extent(kernel: Pair, dilation: Pair) -> Pair:
    """Rows and columns that a dilated kernel spans."""
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def window_count(
    shape: tuple[int, ...], kernel: Pair, stride: Pair, pads: Pads, dilation: Pair = (1, 1)
) -> Pair:
    """Windows that fit down and across, rounding down as ONNX does with ceil_mode = 0."""
    height, width = extent(kernel, dilation)
    return (
        (shape[1] + pads[0] + pads[2] - height) // stride[0] + 1,
        (shape[2] + pads[1] + pads[3] - width) // stride[1] + 1,
    )


def sliding_windows(
    x: Ints, kernel: Pair, stride: Pair, pads: Pads, fill: int, *, dilation: Pair = (1, 1)
) -> Ints:
    """(N, C, H, W) -> a view (N, OH, OW, C, KH, KW); outside the map stands `fill`."""
    top, left, bottom, right = pads
    edges = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(x, edges, constant_values=fill) if any(pads) else x
    span = extent(kernel, dilation)
    view = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    view = view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return view.transpose(0, 2, 3, 1, 4, 5)
