"""The IR graph while it grows: unique names, inferred types."""

from collections.abc import Hashable
from dataclasses import replace
from typing import final

from bitfold.compiler.reading.stream import Move, Stream
from bitfold.errors import ModelError
from bitfold.ir.graph import Node, Op, make_node
from bitfold.ir.ops import MOVES, Flatten, Input, MaxPool, Threshold
from bitfold.ir.types import IntType

EXACT_BITS = 53  # of any value, so that float64 holds it exactly


@final
class Builder:
    """Nodes in order. Lives for one reading; the graph made of it is frozen."""

    def __init__(self, opset: int) -> None:
        self.opset = opset  # of the file's standard operators, for whoever evaluates some
        self.nodes: dict[str, Node] = {}
        self.types: dict[str, IntType] = {}
        self._moved: dict[tuple[str, Move], str] = {}
        self._coded: dict[str, bool] = {}
        self._flat: dict[str, str] = {}
        self.coded: dict[Hashable, Stream] = {}  # codes that reading added, by what they code

    def add(self, name: str, op: Op) -> str:
        """Append a node; the name made unique is returned.

        Raises: ModelError for integers that are too wide.
        """
        unique = name
        count = 1
        while unique in self.types:
            count += 1
            unique = f"{name}_{count}"
        node = make_node(unique, op, self.types)
        if node.type.bits > EXACT_BITS:
            raise ModelError(
                f"node {name!r}: its integers need {node.type.bits} bits; at most {EXACT_BITS}, "
                "which float64 holds exactly"
            )
        self.nodes[unique], self.types[unique] = node, node.type
        if isinstance(op, MOVES):
            self._coded[unique] = all(self._coded[i] for i in op.inputs)
        else:
            self._coded[unique] = isinstance(op, Input | Threshold)
        return unique

    def op(self, name: str) -> Op:
        """The operation of a node added before."""
        return self.nodes[name].op

    def holds_codes(self, name: str) -> bool:
        """Whether a node's integers come from a quantiser, and are not accumulators."""
        return self._coded[name]

    def moved(self, name: str, moves: tuple[Move, ...]) -> str:
        """`name` behind the moves, whose nodes are made once, however many read them."""
        for each in moves:
            key = (name, each)
            if key not in self._moved:
                op = replace(each.op, x=name)
                if isinstance(op, MaxPool):
                    op = replace(op, fill=self.types[name].min)
                self._moved[key] = self.add(each.name, op)
            name = self._moved[key]
        return name

    def flat(self, name: str) -> str:
        """`name` as a vector."""
        if len(self.types[name].shape) == 1:
            return name
        if name not in self._flat:
            self._flat[name] = self.add(f"{name}_flatten", Flatten(name))
        return self._flat[name]


def emitted(builder: Builder, x: Stream) -> str:
    """The IR node that holds the integers of `x` behind its moves."""
    return builder.moved(x.node, x.moves)
