"""Bipolar activations in front of integer weights become unsigned 1-bit ones."""

from dataclasses import replace

import numpy as np

from bitfold.ir.graph import Graph, Node, ValueMap, make_node
from bitfold.ir.ops import AddBias, Conv, Dense, Input, MaxPool, Threshold
from bitfold.ir.types import Ints, IntType


def lower_bipolar(graph: Graph) -> Graph:
    """Put x = 2u - 1 wherever bipolar x meets weights that are not bipolar.

    w.x = 2 w.u - sum(w), so the accumulator of u is half of the old one plus sum(w); thresholds
    and the output map absorb both. Bipolar weights keep bipolar activations (XNOR).
    Requires: pool_after_threshold (a Threshold follows each layer but the last), no padding on
    bipolar maps (the reader refuses it). Preserves: the reals that the output stands for, bit for
    bit; run(graph) as well unless the last layer is rewritten.
    """
    for index, node in enumerate(graph.nodes):
        if isinstance(node.op, Conv | Dense) and _needs_rewrite(graph, node):
            graph = _rewrite(graph, index)
    return graph


def _needs_rewrite(graph: Graph, node: Node) -> bool:
    assert isinstance(node.op, Conv | Dense)
    return graph.node(node.op.x).type.bipolar and not node.op.weights.bipolar


def _rewrite(graph: Graph, index: int) -> Graph:
    layer = graph.nodes[index]
    assert isinstance(layer.op, Conv | Dense)
    assert not (isinstance(layer.op, Conv) and any(layer.op.pads)), layer.name
    weights = layer.op.weights.values
    sums = weights.reshape(len(weights), -1).sum(1)
    start = index
    while not isinstance(graph.nodes[start].op, Input | Threshold):
        start -= 1
    types: dict[str, IntType] = {}
    nodes: list[Node] = []
    for at, node in enumerate(graph.nodes):
        op = node.op
        if at == start:
            op = _unsigned(op)
        elif start < at < index and isinstance(op, MaxPool):
            op = replace(op, fill=0)
        elif isinstance(op, Threshold) and op.x == layer.name:
            op = replace(op, thresholds=_halved(op.thresholds, sums, types[layer.name]))
        nodes.append(make_node(node.name, op, types))
        types[node.name] = nodes[-1].type
    graph = replace(graph, nodes=tuple(nodes))
    if start == 0:
        graph = _rewritten_input(graph)
    return _rewritten_output(graph, layer.name, sums)


def _unsigned(op: Input | Threshold | object) -> Input | Threshold:
    if isinstance(op, Threshold):
        return replace(op, signed=False, bipolar=False)
    assert isinstance(op, Input)
    return Input(IntType(shape=op.type.shape, bits=1, signed=False))


def _halved(thresholds: Ints, sums: Ints, kind: IntType) -> Ints:
    """2a - sum >= t exactly when a >= ceil((t + sum) / 2)."""
    halves: Ints = -((-(thresholds + sums[:, None])) // 2)
    return np.asarray(np.clip(halves, kind.min, kind.max + 1), np.int64)


def _rewritten_input(graph: Graph) -> Graph:
    old = graph.input_map
    value_map = ValueMap(np.asarray(2 * old.scale), np.asarray(old.bias - old.scale))
    return replace(graph, input_map=value_map, input_range=None, input_by_sign=True)


def _rewritten_output(graph: Graph, layer: str, sums: Ints) -> Graph:
    """Where the layer is the last: fold 2a - sum + bias into AddBias or the output map."""
    last = graph.node(graph.output)
    if last.name != layer and not (isinstance(last.op, AddBias) and last.op.x == layer):
        return graph
    shift = (last.op.bias if isinstance(last.op, AddBias) else np.zeros_like(sums)) - sums
    nodes = list(graph.nodes)
    if last.name != layer:
        nodes.pop()
    output, bias = layer, graph.output_map.bias
    if (shift % 2).any():
        bias = np.asarray(bias + graph.output_map.scale * shift)
    elif shift.any():
        output = f"{layer}_bias"
        nodes.append(make_node(output, AddBias(layer, shift // 2), {n.name: n.type for n in nodes}))
    value_map = ValueMap(np.asarray(2 * graph.output_map.scale), bias)
    return replace(graph, nodes=tuple(nodes), output=output, output_map=value_map)
