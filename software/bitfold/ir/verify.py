"""Checks that a graph is well formed; run after every pass."""

import numpy as np

from bitfold.ir.graph import Graph
from bitfold.ir.rounding import ROUNDING
from bitfold.ir.types import IntType


def verify(graph: Graph, after: str) -> None:
    """Assert topological order, unique names, and stated types equal to inferred ones.

    A failure is a bug in the pass `after`, not a user's mistake.
    """
    types: dict[str, IntType] = {}
    for node in graph.nodes:
        missing = [i for i in node.op.inputs if i not in types]
        assert not missing, f"pass {after!r}: node {node.name!r} reads {missing} before definition"
        assert node.name not in types, f"pass {after!r}: two nodes are called {node.name!r}"
        inferred = node.op.infer(*(types[i] for i in node.op.inputs))
        assert inferred == node.type, (
            f"pass {after!r} left node {node.name!r} as {node.type}, but its values are {inferred}"
        )
        types[node.name] = node.type
    assert graph.input in types, f"pass {after!r}: no input {graph.input!r}"
    assert graph.output in types, f"pass {after!r}: no output {graph.output!r}"
    assert graph.input_rounding in ROUNDING, f"pass {after!r}: {graph.input_rounding!r}"
    for each in (graph.input_map, graph.output_map):
        assert np.isfinite(each.scale).all(), f"pass {after!r}: value map is not finite"
