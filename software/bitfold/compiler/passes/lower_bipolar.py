"""Bipolar activations in front of integer weights become unsigned 1-bit ones."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.passes.rewire import typed
from bitfold.errors import UnsupportedOp
from bitfold.ir.graph import Graph, Node, Op, ValueMap
from bitfold.ir.ops import MOVES, AddBias, Conv, Dense, Input, MaxPool, Threshold
from bitfold.ir.types import Ints, IntType


def lower_bipolar(graph: Graph) -> Graph:
    """Put x = 2u - 1 wherever bipolar x meets weights that are not bipolar.

    w.x = 2 w.u - sum(w), so the accumulator of u is half of the old one plus sum(w); thresholds
    and the output map absorb both. All readers of u follow, those with bipolar weights too;
    elsewhere bipolar weights keep bipolar activations (XNOR).
    Requires: thresholds behind each layer but the last, no padding on bipolar maps and no sum of
    bipolar values (the reader sees to all three). Preserves: the reals that the output stands
    for, bit for bit; run(graph) as well unless the output is rewritten.
    """
    lowered = _lowered(graph)
    if not lowered:
        return graph
    sums: dict[str, Ints] = {}  # of layers that read u: the rows' sums
    nodes: list[tuple[str, Op]] = []
    types: dict[str, IntType] = {}
    for node in graph.nodes:
        if isinstance(node.op, AddBias) and node.op.x in sums and node.name != graph.output:
            raise UnsupportedOp(_unquantised(node))
        op = _rewritten(node, lowered, sums, types)
        if isinstance(op, Conv | Dense) and op.x in lowered:
            weights = op.weights.values
            sums[node.name] = weights.reshape(len(weights), -1).sum(1)
        nodes.append((node.name, op))
        types[node.name] = op.infer(*(types[i] for i in op.inputs))
    graph = replace(graph, nodes=typed(nodes))
    if graph.input in lowered:
        graph = replace(
            graph, input_map=_unmapped(graph.input_map), input_range=None, input_by_sign=True
        )
    if graph.output in lowered:
        graph = replace(graph, output_map=_unmapped(graph.output_map))
    return _rewritten_output(graph, sums)


def _lowered(graph: Graph) -> set[str]:
    """Bipolar nodes that integer weights read, and those that must change with them."""
    kinds = {node.name: node.type for node in graph.nodes}
    found = {
        node.op.x
        for node in graph.nodes
        if isinstance(node.op, Conv | Dense)
        and kinds[node.op.x].bipolar
        and (not node.op.weights.bipolar or _sparse(node.op))
    }
    before = -1
    while before != len(found):
        before = len(found)
        for node in graph.nodes:
            family = {node.name, *node.op.inputs}
            if isinstance(node.op, MOVES) and node.type.bipolar and family & found:
                found |= family
    return found


def _sparse(op: Op) -> bool:
    """A convolution that hardware computes with zeros in between, which bipolar weights lack."""
    return isinstance(op, Conv) and op.groups > 1


def _rewritten(
    node: Node, lowered: set[str], sums: dict[str, Ints], types: dict[str, IntType]
) -> Op:
    op = node.op
    if isinstance(op, Threshold):
        if op.x in sums:
            op = replace(op, thresholds=_halved(op.thresholds, sums[op.x][:, None], types[op.x]))
        elif op.x in lowered:
            op = replace(op, thresholds=_halved(op.thresholds, 1, types[op.x]))
        return replace(op, signed=False, bipolar=False) if node.name in lowered else op
    if isinstance(op, Conv | Dense | AddBias):
        assert not (isinstance(op, Conv) and op.x in lowered and any(op.pads)), node.name
        return op
    if any(name in sums for name in op.inputs):
        raise UnsupportedOp(_unquantised(node))
    if node.name in lowered:
        if isinstance(op, Input):
            return Input(IntType(shape=op.type.shape, bits=1, signed=False))
        return replace(op, fill=0) if isinstance(op, MaxPool) else op
    assert not lowered.intersection(op.inputs), node.name
    return op


def _unquantised(node: Node) -> str:
    return (
        f"node {node.name!r} ({type(node.op).__name__}): reads sums of bipolar activations times "
        "integer weights; put a quantiser in front of it"
    )


def _halved(thresholds: Ints, sums: Ints | int, kind: IntType) -> Ints:
    """2a - sum >= t exactly when a >= ceil((t + sum) / 2)."""
    halves: Ints = -((-(thresholds + sums)) // 2)
    return np.asarray(np.clip(halves, kind.min, kind.max + 1), np.int64)


def _unmapped(old: ValueMap) -> ValueMap:
    """scale * (2u - 1) + bias, as a map of u."""
    return ValueMap(np.asarray(2 * old.scale), np.asarray(old.bias - old.scale))


def _rewritten_output(graph: Graph, sums: dict[str, Ints]) -> Graph:
    """Where such a layer is the last: fold 2a - sum + bias into AddBias or the output map."""
    last = graph.node(graph.output)
    layer = last.op.x if isinstance(last.op, AddBias) else last.name
    if layer not in sums:
        return graph
    shift = (last.op.bias if isinstance(last.op, AddBias) else 0) - sums[layer]
    nodes = [(n.name, n.op) for n in graph.nodes if n.name != last.name or n.name == layer]
    output, bias = layer, graph.output_map.bias
    if (shift % 2).any():
        bias = np.asarray(bias + graph.output_map.scale * shift)
    elif shift.any():
        output = f"{layer}_bias"
        nodes.append((output, AddBias(layer, shift // 2)))
    value_map = ValueMap(np.asarray(2 * graph.output_map.scale), bias)
    return replace(graph, nodes=typed(nodes), output=output, output_map=value_map)
