"""Threshold, (MaxPool | Flatten)*, Threshold -> one Threshold."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.passes.rewire import reading
from bitfold.ir.graph import Graph, Node, make_node
from bitfold.ir.ops import Flatten, MaxPool, Threshold
from bitfold.ir.types import Ints, IntType


def merge_thresholds(graph: Graph) -> Graph:
    """Compose a requantisation of codes with the thresholds that made the codes.

    Two quantisers in a row otherwise cost a stage that does no work.
    Requires: nothing. Preserves: run(graph), bit for bit.
    """
    while (pair := _find(graph)) is not None:
        graph = _merge(graph, *pair)
    return graph


def _find(graph: Graph) -> tuple[int, int] | None:
    """Positions of two thresholds with nothing but moves of data between them."""
    names = {n.name: i for i, n in enumerate(graph.nodes)}
    for index, node in enumerate(graph.nodes):
        if not isinstance(node.op, Threshold):
            continue
        at = names[node.op.x]
        per_tensor = bool((node.op.thresholds == node.op.thresholds[:1]).all())
        while True:
            op = graph.nodes[at].op
            if isinstance(op, Threshold):
                return at, index
            if not (isinstance(op, MaxPool) or (isinstance(op, Flatten) and per_tensor)):
                break
            at = names[op.x]
    return None


def _merge(graph: Graph, first: int, second: int) -> Graph:
    a, b = graph.nodes[first], graph.nodes[second]
    assert isinstance(a.op, Threshold)
    assert isinstance(b.op, Threshold)
    rows = b.op.thresholds
    if len(rows) != len(a.op.thresholds):
        rows = np.repeat(rows[:1], len(a.op.thresholds), axis=0)
    merged = Threshold(
        a.op.x,
        _composed(a, rows, graph.node(a.op.x).type),
        b.op.bits,
        signed=b.op.signed,
        bipolar=b.op.bipolar,
    )
    types: dict[str, IntType] = {}
    nodes: list[Node] = []
    renamed = {b.name: b.op.x}
    for index, node in enumerate(graph.nodes):
        if index == second:
            continue
        op = merged if index == first else node.op
        if index > first and any(i in renamed for i in op.inputs):
            op = reading(op, renamed[op.inputs[0]])
        if index > first and isinstance(op, MaxPool) and index < second:
            op = replace(op, fill=types[op.x].min)
        nodes.append(make_node(node.name, op, types))
        types[node.name] = nodes[-1].type
    output = renamed.get(graph.output, graph.output)
    return replace(graph, nodes=tuple(nodes), output=output)


def _composed(a: Node, wanted: Ints, source: IntType) -> Ints:
    """For each step of the second: the accumulator from which the first's code reaches it."""
    assert isinstance(a.op, Threshold)
    values = np.array([-1, 1]) if a.type.bipolar else np.arange(a.type.min, a.type.max + 1)
    bounded = np.concatenate(
        [
            np.full((len(wanted), 1), source.min),
            a.op.thresholds,
            np.full((len(wanted), 1), source.max + 1),
        ],
        axis=1,
    )
    return np.take_along_axis(bounded, np.searchsorted(values, wanted), axis=1)
