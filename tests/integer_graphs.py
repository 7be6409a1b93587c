"""Random integer graphs for tests: chains of convolutions, pools and dense layers."""

from dataclasses import dataclass, field

import numpy as np

from bitfold.ir import Graph, IntType, Node, Op, ValueMap, make_node
from bitfold.ir.ops import (
    AddBias,
    Conv,
    Dense,
    Flatten,
    Input,
    MaxPool,
    Threshold,
    Weights,
)


@dataclass
class ChainBuilder:
    """Appends nodes whose weights and thresholds are drawn from `rng`."""

    rng: np.random.Generator
    nodes: list[Node] = field(default_factory=list)

    @property
    def last(self) -> Node:
        return self.nodes[-1]

    def add(self, name: str, op: Op) -> None:
        self.nodes.append(make_node(name, op, {n.name: n.type for n in self.nodes}))

    def input(self, shape: tuple[int, ...], bits: int, signed: bool = False) -> None:
        self.add("in", Input(IntType(shape=shape, bits=bits, signed=signed)))

    def bipolar_input(self, shape: tuple[int, ...]) -> None:
        self.add("in", Input(IntType(shape=shape, bits=1, signed=True, bipolar=True)))

    def weights(self, shape: tuple[int, ...], bits: int, bipolar: bool = False) -> Weights:
        if bipolar:
            return Weights(self.rng.integers(0, 2, shape) * 2 - 1, 1, bipolar=True)
        half = 1 << (bits - 1)
        return Weights(self.rng.integers(-half, half, shape), bits)

    def conv(
        self,
        name: str,
        outputs: int,
        kernel: tuple[int, int],
        w_bits: int,
        *,
        stride: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        bipolar: bool = False,
    ) -> None:
        shape = (outputs, self.last.type.shape[0], *kernel)
        self.add(name, Conv(self.last.name, self.weights(shape, w_bits, bipolar), stride, pads))

    def dense(self, name: str, outputs: int, w_bits: int, bipolar: bool = False) -> None:
        shape = (outputs, self.last.type.shape[0])
        self.add(name, Dense(self.last.name, self.weights(shape, w_bits, bipolar)))

    def thresholds(self, name: str, bits: int, signed: bool = False, bipolar: bool = False) -> None:
        kind = self.last.type
        steps = (1 << bits) - 1
        # Close to where random sums lie, so that all codes occur; a few at the extremes.
        spread = max(2.0, kind.max / 4)
        drawn = self.rng.normal(0, spread, (kind.shape[0], steps)).round().astype(np.int64)
        drawn[self.rng.random(drawn.shape) < 0.05] = kind.max + 1
        drawn = np.clip(drawn, kind.min, kind.max + 1)
        self.add(name, Threshold(self.last.name, np.sort(drawn, axis=1), bits, signed, bipolar))

    def pool(
        self,
        name: str,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> None:
        self.add(name, MaxPool(self.last.name, kernel, stride, pads, self.last.type.min))

    def flatten(self, name: str = "flat") -> None:
        self.add(name, Flatten(self.last.name))

    def bias(self, name: str) -> None:
        values = self.rng.integers(-50, 51, self.last.type.shape[0])
        self.add(name, AddBias(self.last.name, values))

    def graph(self) -> Graph:
        one, zero = np.float64(1.0), np.float64(0.0)
        identity = ValueMap(np.asarray(one), np.asarray(zero))
        return Graph(
            nodes=tuple(self.nodes),
            input=self.nodes[0].name,
            output=self.last.name,
            input_map=identity,
            output_map=identity,
        )


def digits_like(seed: int = 0, w_bits: int = 3, a_bits: int = 3) -> Graph:
    """A small net of the demo's shape: conv, conv, pool, flatten, dense."""
    b = ChainBuilder(np.random.default_rng(seed))
    b.input((1, 6, 6), 4)
    b.conv("conv1", 4, (3, 3), w_bits, pads=(1, 1, 1, 1))
    b.thresholds("q1", a_bits)
    b.conv("conv2", 8, (3, 3), w_bits, pads=(1, 1, 1, 1))
    b.thresholds("q2", a_bits)
    b.pool("pool", (2, 2), (2, 2))
    b.flatten()
    b.dense("fc", 10, w_bits)
    b.bias("fc_bias")
    return b.graph()


def mlp(seed: int = 0, bipolar: bool = False) -> Graph:
    """Three dense layers; bipolar throughout, or 3-bit weights on unsigned activations."""
    b = ChainBuilder(np.random.default_rng(seed))
    if bipolar:
        b.bipolar_input((32,))
    else:
        b.input((32,), 3, signed=True)
    b.dense("fc1", 16, 3, bipolar)
    b.thresholds("q1", 1 if bipolar else 2, signed=bipolar, bipolar=bipolar)
    b.dense("fc2", 16, 2, bipolar)
    b.thresholds("q2", 1 if bipolar else 4, signed=bipolar, bipolar=bipolar)
    b.dense("fc3", 5, 4, bipolar)
    return b.graph()
