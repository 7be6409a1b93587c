"""What both builders of integer graphs do: hold named nodes, draw weights, close the graph."""

from dataclasses import dataclass, field

import numpy as np

from bitfold.ir import Graph, IntType, Node, Op, ValueMap, make_node
from bitfold.ir.ops import Weights


@dataclass
class GraphBuilder:
    """Nodes by name, in the order they came."""

    rng: np.random.Generator
    nodes: dict[str, Node] = field(default_factory=dict)

    def put(self, name: str, op: Op) -> str:
        assert name not in self.nodes
        self.nodes[name] = make_node(name, op, {n.name: n.type for n in self.nodes.values()})
        return name

    def type(self, name: str) -> IntType:
        return self.nodes[name].type

    def weights(self, shape: tuple[int, ...], bits: int, bipolar: bool = False) -> Weights:
        if bipolar:
            return Weights(self.rng.integers(0, 2, shape) * 2 - 1, 1, bipolar=True)
        half = 1 << (bits - 1)
        return Weights(self.rng.integers(-half, half, shape), bits)

    def graph(self, output: str = "") -> Graph:
        """From the first node to `output`, else the last."""
        one, zero = np.asarray(np.float64(1.0)), np.asarray(np.float64(0.0))
        names = list(self.nodes)
        return Graph(
            nodes=tuple(self.nodes.values()),
            input=names[0],
            output=output or names[-1],
            input_map=ValueMap(one, zero),
            output_map=ValueMap(one, zero),
        )
