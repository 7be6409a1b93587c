"""Attributes of window nodes: kernels, strides, dilations and pads."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import MAX_ELEMENTS
from bitfold.compiler.reading.stream import Stream
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Input, Threshold, ZeroPad
from bitfold.ir.ops.window import Pads, Pair, extent, window_count
from bitfold.ir.types import Ints


@final
class NotAMap(UnsupportedOp):
    """A node that slides windows got a tensor whose axes are not (channels, rows, columns).

    of_input: whether another layout of the network's input would cure it; then view has the
    places of the tensor's elements in the input as it lies now.
    """

    def __init__(self, subject: str, x: Stream, builder: Builder) -> None:
        super().__init__(
            f"{subject}: its input {x.view.shape} is not the channels-first map that {x.node!r} "
            f"makes ({x.shape}); export channels-first, without transpositions"
        )
        self.of_input = x.type is None or _from_input(x, builder)
        self.view: Ints = x.view[0]


def _from_input(x: Stream, builder: Builder) -> bool:
    """Whether only quantisers stand between the input and `x`."""
    op = builder.op(x.node)
    while isinstance(op, Threshold):
        op = builder.op(op.x)
    return isinstance(op, Input) and not x.moves


def over_two_axes(given: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a one-dimensional window node as those over (C, 1, L)."""
    wide = dict(given)
    for name in ("kernel_shape", "strides", "dilations"):
        if name in given:
            wide[name] = [1, *given[name]]
    if "pads" in given:
        begin, end = given["pads"] if len(given["pads"]) == 2 else (-1, -1)
        wide["pads"] = [0, begin, 0, end]
    return wide


def pair(subject: str, values: Sequence[int]) -> Pair:
    """Two numbers, one for each axis."""
    if len(values) != 2:
        raise UnsupportedOp(f"{subject}: {len(values)} window axes; one or two are compiled")
    return int(values[0]), int(values[1])


def whole_numbers(subject: str, what: str, values: Any) -> list[int]:
    """Integers of an attribute or a tensor, flat. Raises: ModelError for other numbers."""
    flat = np.asarray(values).reshape(-1)
    if flat.size and flat.dtype.kind not in "iu":
        raise ModelError(
            f"{subject}: {what} {flat[:4].tolist()} of type {flat.dtype}; they must be integers "
            "(int64)"
        )
    return [int(v) for v in flat]


def places(subject: str, axes: Any, rank: int) -> list[int]:
    """Numbers of axes, negative ones counted from the end. Raises: ModelError beyond `rank`."""
    listed = whole_numbers(subject, "axes", axes)
    if any(not -rank <= a < rank for a in listed):
        raise ModelError(f"{subject}: axes {listed} of a tensor with {rank} axes")
    return [a % rank for a in listed]


def dilation_of(subject: str, given: dict[str, Any]) -> Pair:
    """Distance between a kernel's taps, at least 1."""
    dilation = pair(subject, given.get("dilations", (1, 1)))
    if min(dilation) < 1:
        raise ModelError(f"{subject}: dilations {list(dilation)} must be at least 1")
    return dilation


def window_attributes(
    subject: str,
    given: dict[str, Any],
    shape: tuple[int, ...],
    kernel: Pair,
    dilation: Pair = (1, 1),
) -> tuple[Pair, Pads]:
    """Stride and explicit pads (top, left, bottom, right) of a window node on a map (C, H, W)."""
    stride = pair(subject, given.get("strides", (1, 1)))
    auto = given.get("auto_pad", "NOTSET")
    pads = tuple(given.get("pads", (0, 0, 0, 0)))
    valid = min(stride) >= 1 and min(kernel) >= 1
    if valid and auto in ("SAME_UPPER", "SAME_LOWER"):
        span = extent(kernel, dilation)
        needed = [
            max(0, (-(-shape[1 + i] // stride[i]) - 1) * stride[i] + span[i] - shape[1 + i])
            for i in (0, 1)
        ]
        less = [n // 2 if auto == "SAME_UPPER" else n - n // 2 for n in needed]
        pads = (*less, *(n - b for n, b in zip(needed, less, strict=True)))
    elif auto == "VALID":
        pads = (0, 0, 0, 0)
    if not valid or len(pads) != 4 or min(pads) < 0:
        raise ModelError(f"{subject}: kernel {kernel}, strides {stride}, pads {pads} are not valid")
    whole = (pads[0], pads[1], pads[2], pads[3])
    if min(window_count(shape, kernel, stride, whole, dilation)) < 1:
        raise ModelError(f"{subject}: kernel {kernel} does not fit a map {shape} with pads {pads}")
    size = shape[0] * (shape[1] + whole[0] + whole[2]) * (shape[2] + whole[1] + whole[3])
    if size > MAX_ELEMENTS:
        raise ModelError(
            f"{subject}: pads {whole} make a map of {size} elements; at most {MAX_ELEMENTS}"
        )
    return stride, whole


def refuse_cut_windows(
    subject: str, given: dict[str, Any], shape: tuple[int, ...], kernel: Pair
) -> None:
    """Raises: UnsupportedOp where ceil_mode = 1 adds windows that hang over the edge."""
    stride, pads = window_attributes(subject, given, shape, kernel)
    if given.get("ceil_mode", 0) and any(
        (shape[1 + i] + pads[i] + pads[i + 2] - kernel[i]) % stride[i] for i in (0, 1)
    ):
        raise UnsupportedOp(f"{subject}: ceil_mode = 1 adds cut windows; use ceil_mode = 0")


def unpadded(name: str, builder: Builder) -> tuple[str, Pads]:
    """What a ZeroPad in front of a window node pads, and by how much; else (name, zeros)."""
    op = builder.op(name)
    if isinstance(op, ZeroPad) and not any(op.channels):
        return op.x, op.pads
    return name, (0, 0, 0, 0)


def added(a: Pads, b: Pads) -> Pads:
    """Both pads together."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


def squeezed(x: Stream, axes: int) -> Stream:
    """`x` of shape (C, 1, L) with the view (C, L) of a one-dimensional map."""
    return replace(x, view=x.view[:, :, 0]) if axes == 1 else x
