"""Exchange what operations read, and infer the types again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bitfold.ir.graph import Graph, Node, Op, make_node
from bitfold.ir.types import IntType


def redirect(op: Op, renamed: Mapping[str, str]) -> Op:
    """`op` reading `renamed[name]` wherever it read `name`."""
    if not any(name in renamed for name in op.inputs):
        return op
    given: Any = op  # every operation but Input is a dataclass with a field x
    x = given.x
    new = renamed[x] if isinstance(x, str) else tuple(renamed.get(name, name) for name in x)
    changed: Op = replace(given, x=new)
    return changed


def typed(nodes: Iterable[tuple[str, Op]]) -> tuple[Node, ...]:
    """Nodes with their types inferred, in the order given."""
    types: dict[str, IntType] = {}
    result: list[Node] = []
    for name, op in nodes:
        result.append(make_node(name, op, types))
        types[name] = result[-1].type
    return tuple(result)


def pruned(graph: Graph) -> Graph:
    """Without nodes that the output does not depend on; the input stays."""
    wanted = {graph.input, graph.output}
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.op.inputs)
    return replace(graph, nodes=tuple(n for n in graph.nodes if n.name in wanted))
