"""Pools: the greatest value of a window, or the mean of one.

A mean is an exact integer sum, its real value rounded to float32 once, and divided by the number
of its elements in float32 as an element-wise step. QONNX sums in float32 where we do not.
"""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import onnx

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import Constant
from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import (
    ROOT,
    Move,
    Step,
    Stream,
    append,
    fresh_view,
    move,
)
from bitfold.compiler.reading.windows import (
    NotAMap,
    added,
    over_two_axes,
    pair,
    places,
    refuse_cut_windows,
    squeezed,
    unpadded,
    window_attributes,
)
from bitfold.errors import UnsupportedOp
from bitfold.ir.ops import MaxPool, SumPool
from bitfold.ir.ops.window import window_count
from bitfold.ir.types import Ints

MEANS = ("AveragePool", "GlobalAveragePool", "ReduceMean")


def read_maxpool(node: onnx.NodeProto, x: Stream, builder: Builder, order: int) -> Stream:
    """Max pooling at any place behind the input quantiser."""
    subject, given, axes = _pool(node, x, builder)
    kernel = pair(subject, given.get("kernel_shape", ()))
    stride, pads = window_attributes(subject, given, x.shape, kernel)
    if max(pads[0], pads[2]) >= kernel[0] or max(pads[1], pads[3]) >= kernel[1]:
        raise UnsupportedOp(f"{subject}: pads {list(pads)} leave windows without an element")
    shape = (x.shape[0], *window_count(x.shape, kernel, stride, pads))
    view = fresh_view(len(x.view), shape)
    pool = Move(node.name, x.tensor, MaxPool("", kernel, stride, pads))
    return squeezed(move(x, order, node, pool, view), axes)


def read_mean(node: onnx.NodeProto, x: Stream, builder: Builder, order: int) -> Stream:
    """The sum of each window of codes `x`, and a division; see the module's header."""
    subject, given, axes = _pool(node, x, builder)
    kernel = pair(subject, given.get("kernel_shape", ()))
    source, extra = unpadded(x.node, builder)
    stride, own = window_attributes(subject, given, x.shape, kernel)
    if any(own) and not given.get("count_include_pad", 0):
        raise UnsupportedOp(
            f"{subject}: pads {list(own)} that the mean does not count (count_include_pad = 0), so "
            "that windows at the edge divide by less. Count them, or use pads 0"
        )
    pads = added(own, extra)
    total = _summed(node, x, builder, SumPool(source, kernel, stride, pads))
    return _divided(node, squeezed(total, axes), kernel[0] * kernel[1], order)


def read_reduced_mean(
    node: onnx.NodeProto, x: Stream, axes: Constant | None, builder: Builder, order: int
) -> Stream:
    """ReduceMean of codes `x` over rows, columns or both, wherever they stand among the axes."""
    subject = f"node {node.name!r} (ReduceMean)"
    given = attributes(node)
    listed = given.get("axes", ()) if axes is None else axes.value
    rank = x.view.ndim
    reduced = {*places(subject, listed, rank)}
    stands = _axes(x)
    if stands is None:
        raise NotAMap(subject, x, builder)
    removed = {stands[a - 1] for a in reduced if a}
    if not removed or 0 in reduced or 0 in removed:
        raise UnsupportedOp(
            f"{subject}: axes {np.asarray(listed).tolist()}; the mean over rows and columns of a "
            "map is compiled"
        )
    kernel = (x.shape[1] if 1 in removed else 1, x.shape[2] if 2 in removed else 1)
    total = _summed(node, x, builder, SumPool(x.node, kernel, kernel))
    missing = sorted({0, 1, 2} - {*stands})  # the rows of a one-dimensional map
    view = total.view.transpose(0, *(1 + p for p in (*stands, *missing)))
    sizes = list(view.shape[:rank])
    if not given.get("keepdims", 1):
        sizes = [size for axis, size in enumerate(sizes) if axis not in reduced]
    total = replace(total, view=view.reshape(sizes))
    return _divided(node, total, kernel[0] * kernel[1], order)


def _pool(node: onnx.NodeProto, x: Stream, builder: Builder) -> tuple[str, dict[str, Any], int]:
    """Subject, attributes over two axes, and how many axes the node has."""
    subject = f"node {node.name!r} ({node.op_type})"
    axes = x.map_axes()
    if not axes:
        raise NotAMap(subject, x, builder)
    given = attributes(node)
    if axes == 1:
        given = over_two_axes(given)
    if node.op_type.startswith("Global"):
        given = {"kernel_shape": list(x.shape[1:])}
    if any(d != 1 for d in given.get("dilations", ())) or len(node.output) > 1:
        raise UnsupportedOp(f"{subject}: dilations and the index output are not compiled")
    refuse_cut_windows(subject, given, x.shape, pair(subject, given.get("kernel_shape", ())))
    return subject, given, axes


def _summed(node: onnx.NodeProto, x: Stream, builder: Builder, op: SumPool) -> Stream:
    assert x.type is not None
    name = builder.add(node.name, op)
    kind = builder.types[name]
    view = fresh_view(len(x.view), kind.shape)
    return Stream(name, kind, kind.shape, x.scale, view, source=node.output[0], tensor=ROOT)


def _divided(node: onnx.NodeProto, x: Stream, count: int, order: int) -> Stream:
    name = f"%{node.output[0]}.count"
    divide = onnx.helper.make_node("Div", [ROOT, name], [node.output[0]], node.name)
    constant = np.asarray(count, np.float32)
    return append(x, Step(order, node.name, divide, {name: constant}, x.view))


def _axes(x: Stream) -> tuple[int, ...] | None:
    """For each axis of the ONNX tensor but the batch: the axis of the IR map it is; None if none.

    A one-dimensional map lacks the rows.
    """
    if len(x.shape) != 3:
        return None
    whole: Ints = np.arange(x.view[0].size).reshape(x.shape)
    for order in permutations(range(3)):
        if np.array_equal(whole.transpose(order), x.view[0]):
            return order
    if x.shape[1] == 1:
        for order in ((0, 2), (2, 0)):
            flat = whole[:, 0] if order == (0, 2) else whole[:, 0].T
            if np.array_equal(flat, x.view[0]):
                return order
    return None
