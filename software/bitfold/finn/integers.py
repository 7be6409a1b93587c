"""The integer graph as a FINN-ONNX file: what FINN's own streamlining would have to arrive at.

Integers in float32 tensors with FINN's annotation of their types; channels last, as FINN's
hardware layers are; requantisation as MultiThreshold with integer thresholds. So nothing is left
to streamline, residual networks included, and ties are rounded as QONNX says, which FINN's own
conversion does not. The host hands integers in and takes integers out: scales stay with it, as
in bitfold's own accelerator.
"""

from collections.abc import Callable, Mapping

import numpy as np
from onnx import ModelProto

from bitfold.errors import UnsupportedOp
from bitfold.finn.file import GENERAL, File, Reading, finn_type
from bitfold.finn.layers import conv, dense, flatten
from bitfold.finn.maps import max_pool, pad, sum_pool, upsample
from bitfold.ir.graph import Graph, Node
from bitfold.ir.ops import (
    AddBias,
    Concat,
    Conv,
    Dense,
    Flatten,
    Input,
    MaxPool,
    Sum,
    SumPool,
    Threshold,
    Upsample,
    ZeroPad,
)
from bitfold.ir.types import IntType

EXACT = 1 << 24  # integers up to here are told apart by float32, in which FINN-ONNX computes


def to_finn(graph: Graph, name: str = "bitfold") -> ModelProto:
    """FINN-ONNX of a graph that the compiler's passes have been over.

    The input is (1, H, W, C) or (1, K) of integers of the graph's input type, the output
    likewise; bipolar ones are 0 for -1 and 1 for +1.
    Raises: UnsupportedOp for what FINN has no layer for, with node and remedy.
    """
    file = File()
    reading = Reading(graph, {node.name: node.type for node in graph.nodes})
    for node in graph.nodes:
        if max(abs(node.type.min), abs(node.type.max)) > EXACT:
            raise UnsupportedOp(
                f"node {node.name!r}: its integers take {node.type.bits} bits; FINN computes in "
                "float32, which is exact to 24. Take fewer bits or fewer inputs for this layer"
            )
        emit = _OPS.get(type(node.op))
        if emit is None:
            raise UnsupportedOp(
                f"node {node.name!r}: FINN has no layer for {type(node.op).__name__}; networks "
                "with it run on bitfold's own accelerator (bitfold compile)"
            )
        file.tensor(node.name, node.type)
        emit(file, node, reading)
    if graph.output in reading.orders:
        raise UnsupportedOp(
            f"node {graph.output!r}: a flattened map leaves the network; FINN would hand it out "
            "channels last. Let the map leave as it is"
        )
    return file.model(name, graph.input, graph.output)


def _input(file: File, node: Node, reading: Reading) -> None:
    """The graph's input is a tensor, no node."""


def _sum(file: File, node: Node, reading: Reading) -> None:
    op = node.op
    assert isinstance(op, Sum)
    operands = []
    for number, (name, factor) in enumerate(zip(op.x, op.factors, strict=True)):
        if factor == 1:
            operands.append(name)
            continue
        kind = reading.types[name]
        low, high = sorted((factor * kind.min, factor * kind.max))
        scaled = file.tensor(f"{node.name}_x{number}", IntType.holding(low, high, kind.shape))
        held = finn_type(IntType.holding(min(factor, 0), max(factor, 1), (1,)))
        by = file.constant(f"{scaled}_factor", np.array([factor]), held)
        file.node("Mul", [name, by], scaled)
        operands.append(scaled)
    if len(operands) == 1:
        file.node("Identity", operands, node.name)
    before = operands[0]
    for number, name in enumerate(operands[1:], start=1):
        last = number == len(operands) - 1
        after = node.name if last else file.tensor(f"{node.name}_{number}", node.type)
        file.node("Add", [before, name], after)
        before = after
    reading.keep_order(op.x[0], node.name)


def _concat(file: File, node: Node, reading: Reading) -> None:
    op = node.op
    assert isinstance(op, Concat)
    file.node("Concat", list(op.x), node.name, axis=-1)
    if any(x in reading.orders for x in op.x):
        starts = np.cumsum([0, *(reading.types[x].channels for x in op.x)])
        parts = [
            start + reading.orders.get(x, np.arange(reading.types[x].channels))
            for start, x in zip(starts[:-1], op.x, strict=True)
        ]
        reading.orders[node.name] = np.concatenate(parts)


def _threshold(file: File, node: Node, reading: Reading) -> None:
    op = node.op
    assert isinstance(op, Threshold)
    if op.flips.any():
        raise UnsupportedOp(
            f"node {node.name!r}: codes that fall as the sum grows; FINN's thresholds rise"
        )
    kind, steps = reading.types[op.x], op.thresholds
    if op.x in reading.counted:
        terms = reading.counted[op.x]
        kind, steps = IntType.holding(0, terms, kind.shape), (steps + terms + 1) // 2
    steps = np.clip(steps, kind.min, kind.max + 1)
    if node.type.bits == 1 and not op.bipolar:  # a type of two bits, of which one is used
        steps = np.pad(steps, ((0, 0), (0, 2)), constant_values=kind.max + 1)
    if op.x in reading.orders:
        steps = steps[reading.orders[op.x]]
    held = finn_type(IntType.holding(min(int(steps.min()), 0), max(int(steps.max()), 1), (1,)))
    table = file.constant(f"{node.name}_thresholds", steps, held)
    file.node(
        "MultiThreshold",
        [op.x, table],
        node.name,
        GENERAL,
        out_dtype=finn_type(node.type),
        out_scale=1.0,
        out_bias=0.0 if op.bipolar else float(node.type.min),
        data_layout="NHWC" if len(node.type.shape) == 3 else "NC",
    )
    reading.keep_order(op.x, node.name)


def _bias(file: File, node: Node, reading: Reading) -> None:
    op = node.op
    assert isinstance(op, AddBias)
    bias = op.bias[reading.orders[op.x]] if op.x in reading.orders else op.bias
    held = finn_type(IntType.holding(min(int(bias.min()), 0), max(int(bias.max()), 1), (1,)))
    shape = (1,) * len(node.type.shape)
    file.node(
        "Add", [op.x, file.constant(f"{node.name}_b", bias.reshape(*shape, -1), held)], node.name
    )
    reading.keep_order(op.x, node.name)


Emit = Callable[[File, Node, Reading], None]
_OPS: Mapping[type, Emit] = {
    Input: _input,
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    AddBias: _bias,
    Threshold: _threshold,
    Sum: _sum,
    Concat: _concat,
    MaxPool: max_pool,
    SumPool: sum_pool,
    Upsample: upsample,
    ZeroPad: pad,
}
