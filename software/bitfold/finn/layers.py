"""Layers with weights in FINN-ONNX: windows (Im2Col) and matrix products."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.finn.file import GENERAL, File, Integers, Reading, finn_shape, finn_type
from bitfold.ir.graph import Node
from bitfold.ir.ops import Conv, Dense, Flatten, Threshold, Weights
from bitfold.ir.types import IntType


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """Where windows lie on a map. pads: top, left, bottom, right."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    depthwise: bool = False


def windows(file: File, x: str, made: str, place: Place, kind: IntType) -> None:
    """FINN's sliding windows, Im2Col: x of type `kind`, (1, H, W, C), to (1, OH, OW, KH KW C)."""
    channels, height, width = kind.shape
    file.node(
        "Im2Col",
        [x],
        made,
        GENERAL,
        kernel_size=place.kernel,
        stride=place.stride,
        pad_amount=place.pads,
        pad_value=0.0,
        dilations=place.dilation,
        depthwise=int(place.depthwise),
        input_shape=f"(1,{height},{width},{channels})",
    )


def conv(file: File, node: Node, reading: Reading) -> None:
    """Im2Col and a product; the product alone where a window is a pixel.

    FINN has depthwise layers, but no other groups: those become one matrix with zeros.
    """
    op = node.op
    assert isinstance(op, Conv)
    x = reading.types[op.x]
    values, held = _written(op.weights, x, zeros=op.groups > 1)
    outputs, depth = values.shape[:2]
    depthwise = op.groups == x.channels == outputs and op.groups > 1
    dense_values = np.zeros((outputs, x.channels, *op.kernel), np.int64)
    group = np.arange(outputs) // (outputs // op.groups)
    for channel in range(depth):
        dense_values[np.arange(outputs), group * depth + channel] = values[:, channel]
    matrix = dense_values.transpose(2, 3, 1, 0).reshape(-1, outputs)
    weights = file.constant(f"{node.name}_weights", matrix, held)
    read = op.x
    if depthwise:
        file.annotate(weights, "tensor_sparsity", str({"dw": {"kernel_shape": list(op.kernel)}}))
    if depthwise or op.kernel != (1, 1) or op.stride != (1, 1) or any(op.pads):
        _, height, width = node.type.shape
        shape = (1, height, width, x.channels * op.kernel[0] * op.kernel[1])
        read = file.shaped(f"{node.name}_windows", shape, finn_type(x))
        place = Place(
            kernel=op.kernel,
            stride=op.stride,
            pads=op.pads,
            dilation=op.dilation,
            depthwise=depthwise,
        )
        windows(file, op.x, read, place, x)
    _product(file, read, weights, node, reading)


def _product(file: File, read: str, weights: str, node: Node, reading: Reading) -> None:
    """MatMul; of signs with signs, the count of equal ones.

    Thresholds read the count itself (`reading.counted`), others the sum that is made from it.
    """
    assert isinstance(node.op, Conv | Dense)
    if not reading.types[node.op.x].bipolar:
        file.node("MatMul", [read, weights], node.name)
        return
    terms = node.op.weights.values[0].size
    shape = finn_shape(node.type)
    counted = finn_type(IntType.holding(0, terms, (1,)))
    readers = reading.graph.consumers(node.name)
    if readers and all(isinstance(each.op, Threshold) for each in readers):
        reading.counted[node.name] = terms
        file.node(
            "XnorPopcountMatMul", [read, weights], file.shaped(node.name, shape, counted), GENERAL
        )
        return
    count = file.shaped(f"{node.name}_equal", shape, counted)
    twice = file.shaped(f"{node.name}_twice", shape, finn_type(IntType.holding(0, 2 * terms, (1,))))
    ones = (1,) * len(shape)
    two = file.constant(f"{node.name}_two", np.full(ones, 2), "UINT2")
    less = finn_type(IntType.holding(-terms, 0, (1,)))
    minus = file.constant(f"{node.name}_terms", np.full(ones, -terms), less)
    file.node("XnorPopcountMatMul", [read, weights], count, GENERAL)
    file.node("Mul", [count, two], twice)
    file.node("Add", [twice, minus], node.name)


def _written(weights: Weights, x: IntType, *, zeros: bool) -> tuple[Integers, str]:
    """The weights and FINN's name of their type; signs that meet signs are 0 and 1."""
    if x.bipolar:
        assert weights.bipolar, "lower_bipolar has been over the graph"
        return (weights.values + 1) // 2, "BINARY"
    return weights.values, _held(weights, zeros=zeros)


def _held(weights: Weights, *, zeros: bool) -> str:
    """Type of the weights; signs among the zeros of other groups take two bits."""
    if weights.bipolar:
        return "INT2" if zeros else "BIPOLAR"
    return f"INT{max(2, weights.bits)}"


def dense(file: File, node: Node, reading: Reading) -> None:
    """A product; rows of the matrix follow the order of flattened features."""
    op = node.op
    assert isinstance(op, Dense)
    values, held = _written(op.weights, reading.types[op.x], zeros=False)
    matrix = values.T
    if op.x in reading.orders:
        matrix = matrix[reading.orders[op.x]]
    weights = file.constant(f"{node.name}_weights", matrix, held)
    _product(file, op.x, weights, node, reading)


def flatten(file: File, node: Node, reading: Reading) -> None:
    """Features in the order of the map, channels last."""
    op = node.op
    assert isinstance(op, Flatten)
    kind = reading.types[op.x]
    if len(kind.shape) == 3:
        places = np.arange(np.prod(kind.shape)).reshape(kind.shape)
        reading.orders[node.name] = places.transpose(1, 2, 0).reshape(-1)
    elif op.x in reading.orders:
        reading.orders[node.name] = reading.orders[op.x]
    file.node("Flatten", [op.x], node.name, axis=1)
