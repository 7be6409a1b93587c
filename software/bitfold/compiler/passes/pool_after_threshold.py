"""MaxPool, Threshold -> Threshold, MaxPool."""

from dataclasses import replace

from bitfold.compiler.passes.rewire import reading
from bitfold.ir.graph import Graph, Node, make_node
from bitfold.ir.ops import MaxPool, Threshold


def pool_after_threshold(graph: Graph) -> Graph:
    """Move each MaxPool behind the Threshold that reads it, where its integers are narrower.

    Thresholds never decrease, so the greatest accumulator gives the greatest code.
    Requires: nothing. Preserves: run(graph), bit for bit; the order of everything else.
    """
    nodes = list(graph.nodes)
    output = graph.output
    index = 0
    while index + 1 < len(nodes):
        pool, threshold = nodes[index], nodes[index + 1]
        if _movable(pool, threshold):
            assert isinstance(pool.op, MaxPool)
            nodes[index : index + 2] = _swapped(nodes[:index], pool, threshold)
            nodes[index + 2 :] = [
                _redirect(n, threshold.name, pool.name) for n in nodes[index + 2 :]
            ]
            output = pool.name if output == threshold.name else output
            index = 0  # two pools in a row: the first may move now
        else:
            index += 1
    return replace(graph, nodes=tuple(nodes), output=output)


def _movable(pool: Node, threshold: Node) -> bool:
    return (
        isinstance(pool.op, MaxPool)
        and isinstance(threshold.op, Threshold)
        and threshold.op.x == pool.name
    )


def _swapped(before: list[Node], pool: Node, threshold: Node) -> list[Node]:
    assert isinstance(pool.op, MaxPool)
    assert isinstance(threshold.op, Threshold)
    types = {n.name: n.type for n in before}
    first = make_node(threshold.name, replace(threshold.op, x=pool.op.x), types)
    types[first.name] = first.type
    moved = replace(pool.op, x=first.name, fill=first.type.min)
    return [first, make_node(pool.name, moved, types)]


def _redirect(node: Node, old: str, new: str) -> Node:
    """`node` reading `new` where it read `old`; its type stays as it was."""
    return replace(node, op=reading(node.op, new)) if old in node.op.inputs else node
