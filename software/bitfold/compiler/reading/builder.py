"""The IR graph while it grows: unique names, inferred types, one reader for every value."""

from typing import TYPE_CHECKING, final

from bitfold.errors import UnsupportedOp
from bitfold.ir.graph import Node, Op, make_node
from bitfold.ir.ops import MaxPool
from bitfold.ir.types import IntType

if TYPE_CHECKING:
    from bitfold.compiler.reading.stream import Stream


@final
class Builder:
    """Nodes in order. Lives for one reading; the graph made of it is frozen."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.types: dict[str, IntType] = {}
        self._reader: dict[str, str] = {}

    def add(self, name: str, op: Op) -> str:
        """Append a node; the name made unique is returned."""
        unique = name
        count = 1
        while unique in self.types:
            count += 1
            unique = f"{name}_{count}"
        node = make_node(unique, op, self.types)
        self.nodes.append(node)
        self.types[unique] = node.type
        return unique

    def op(self, name: str) -> Op:
        """The operation of a node added before."""
        return next(n.op for n in self.nodes if n.name == name)

    def replace(self, name: str, op: Op) -> IntType:
        """Exchange a node's operation before anything reads it; its new type."""
        index = next(i for i, n in enumerate(self.nodes) if n.name == name)
        assert index == len(self.nodes) - 1, f"{name} has readers"
        self.nodes[index] = make_node(name, op, self.types)
        self.types[name] = self.nodes[index].type
        return self.types[name]

    def read(self, name: str, reader: str) -> None:
        """Note that `reader` takes the value of node `name`.

        Raises: UnsupportedOp when another reader took it before.
        """
        before = self._reader.setdefault(name, reader)
        if before != reader:
            raise UnsupportedOp(
                f"node {reader!r}: reads the result of {name!r}, which {before!r} reads as well; "
                "only chains are compiled, not branches. Remove the branch"
            )


def emit_pools(builder: Builder, x: "Stream") -> str:
    """MaxPool nodes behind the integers of `x`; a pass moves them behind thresholds."""
    name = x.node
    for pool in x.pools:
        fill = builder.types[name].min
        name = builder.add(pool.name, MaxPool(name, pool.kernel, pool.stride, pool.pads, fill))
    return name
