"""Threshold, (MaxPool | Upsample | Flatten)*, Threshold -> one Threshold."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.passes.rewire import redirect, typed
from bitfold.ir.graph import Graph, Node, Op
from bitfold.ir.ops import Flatten, MaxPool, Threshold, Upsample
from bitfold.ir.ops.threshold import Flags
from bitfold.ir.types import Ints, IntType


def merge_thresholds(graph: Graph) -> Graph:
    """Compose a requantisation of codes with the thresholds that made the codes.

    Two quantisers in a row otherwise cost a stage that does no work. Codes that others read as
    well stay as they are.
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
        flips = node.op.flips
        same_rows = bool((node.op.thresholds == node.op.thresholds[:1]).all())
        per_tensor = same_rows and bool((flips == flips[:1]).all())
        name = node.op.x
        while len(graph.consumers(name)) == 1 and name != graph.output:
            op = graph.nodes[names[name]].op
            if isinstance(op, Threshold):
                return names[name], index
            commutes = isinstance(op, Upsample) or (
                (isinstance(op, MaxPool) and not flips.any())
                or (isinstance(op, Flatten) and per_tensor)
            )
            if not commutes:
                break
            (name,) = op.inputs
    return None


def _merge(graph: Graph, first: int, second: int) -> Graph:
    a, b = graph.nodes[first], graph.nodes[second]
    assert isinstance(a.op, Threshold)
    assert isinstance(b.op, Threshold)
    merged = _composed(a, b.op, graph.node(a.op.x).type)
    types = {a.name: (b.type.min, b.type.bipolar)}
    renamed = {b.name: b.op.x}
    nodes: list[tuple[str, Op]] = []
    for index, node in enumerate(graph.nodes):
        if index == second:
            continue
        op = merged if index == first else redirect(node.op, renamed)
        if isinstance(op, Flatten | MaxPool | Upsample) and op.x in types and index < second:
            types[node.name] = types[op.x]
            if isinstance(op, MaxPool):
                op = replace(op, fill=b.type.min)
        nodes.append((node.name, op))
    output = renamed.get(graph.output, graph.output)
    return replace(graph, nodes=typed(nodes), output=output)


def _composed(a: Node, b: Threshold, source: IntType) -> Threshold:
    """For each step of b: the accumulator from which a's code reaches it, or no longer does."""
    assert isinstance(a.op, Threshold)
    channels = len(a.op.thresholds)
    wanted, flips = b.thresholds, b.flips
    if len(wanted) != channels:
        wanted = np.repeat(wanted[:1], channels, axis=0)
        flips = np.repeat(flips[:1], channels)
    values = np.array([-1, 1]) if a.type.bipolar else np.arange(a.type.min, a.type.max + 1)
    ends = np.full((2, channels, 1), [[[source.min]], [[source.max + 1]]])
    bounded = np.concatenate([ends[0], a.op.thresholds, ends[1]], axis=1)
    # The count of a's thresholds that b's step needs. Mirrored codes reach it from above: they
    # fall short of it from the complementary count on, and the steps follow in reverse.
    needed = np.searchsorted(values, wanted)
    mirrored = (len(values) - needed)[:, ::-1]
    steps: Ints = np.where(a.op.flips[:, None], mirrored, needed)
    flip: Flags = a.op.flips ^ flips
    return replace(
        b,
        x=a.op.x,
        thresholds=np.take_along_axis(bounded, steps, axis=1),
        flip=flip if flip.any() else None,
    )
