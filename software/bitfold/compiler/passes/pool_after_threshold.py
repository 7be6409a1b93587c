"""MaxPool, Threshold -> Threshold, MaxPool."""

from dataclasses import replace

from bitfold.compiler.passes.rewire import redirect
from bitfold.ir.graph import Graph, Node, make_node
from bitfold.ir.ops import MaxPool, Threshold


def pool_after_threshold(graph: Graph) -> Graph:
    """Move each MaxPool behind the Threshold that reads it, where its integers are narrower.

    A threshold that does not decrease gives its greatest code to the greatest accumulator. Left
    where they are: pools that others read as well, and those in front of flipped channels.
    Requires: nothing. Preserves: run(graph), bit for bit; the order of everything else.
    """
    while (pair := _find(graph)) is not None:
        graph = _swap(graph, *pair)
    return graph


def _find(graph: Graph) -> tuple[int, int] | None:
    """Positions of a pool and of its only reader, a threshold."""
    names = {node.name: index for index, node in enumerate(graph.nodes)}
    for index, node in enumerate(graph.nodes):
        if not isinstance(node.op, Threshold) or node.op.flips.any():
            continue
        source = graph.node(node.op.x)
        alone = len(graph.consumers(source.name)) == 1 and graph.output != source.name
        if isinstance(source.op, MaxPool) and alone:
            return names[source.name], index
    return None


def _swap(graph: Graph, first: int, second: int) -> Graph:
    pool, threshold = graph.nodes[first], graph.nodes[second]
    assert isinstance(pool.op, MaxPool)
    assert isinstance(threshold.op, Threshold)
    renamed = {threshold.name: pool.name}
    types = {node.name: node.type for node in graph.nodes}
    nodes: list[Node] = []
    for index, node in enumerate(graph.nodes):
        if index == first:
            continue
        if index == second:
            early = make_node(threshold.name, replace(threshold.op, x=pool.op.x), types)
            types[early.name] = early.type
            late = replace(pool.op, x=early.name, fill=early.type.min)
            nodes += [early, make_node(pool.name, late, types)]
        else:
            nodes.append(replace(node, op=redirect(node.op, renamed)))
    return replace(graph, nodes=tuple(nodes), output=renamed.get(graph.output, graph.output))
