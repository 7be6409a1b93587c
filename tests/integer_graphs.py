"""Random integer graphs for tests: chains of convolutions, pools and dense layers."""

from dataclasses import dataclass

import numpy as np

from bitfold.ir import Graph, IntType, Node, Op
from bitfold.ir.ops import (
    AddBias,
    Concat,
    Conv,
    Dense,
    DepthToSpace,
    Flatten,
    Input,
    MaxPool,
    Sum,
    SumPool,
    Threshold,
    Upsample,
    ZeroPad,
)
from graph_builder import GraphBuilder


@dataclass
class ChainBuilder(GraphBuilder):
    """Appends nodes whose weights and thresholds are drawn from `rng`.

    Each reads the node before it, or the one that `at` went back to.
    """

    back: str = ""

    @property
    def last(self) -> Node:
        return self.nodes[self.back] if self.back else list(self.nodes.values())[-1]

    def at(self, name: str) -> None:
        """What comes next reads node `name`."""
        self.back = name

    def add(self, name: str, op: Op) -> None:
        self.put(name, op)
        self.back = ""

    def input(self, shape: tuple[int, ...], bits: int, signed: bool = False) -> None:
        self.add("in", Input(IntType(shape=shape, bits=bits, signed=signed)))

    def bipolar_input(self, shape: tuple[int, ...]) -> None:
        self.add("in", Input(IntType(shape=shape, bits=1, signed=True, bipolar=True)))

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
        groups: int = 1,
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        shape = (outputs, self.last.type.shape[0] // groups, *kernel)
        weights = self.weights(shape, w_bits, bipolar)
        self.add(name, Conv(self.last.name, weights, stride, pads, groups, dilation))

    def dense(self, name: str, outputs: int, w_bits: int, bipolar: bool = False) -> None:
        shape = (outputs, self.last.type.shape[0])
        self.add(name, Dense(self.last.name, self.weights(shape, w_bits, bipolar)))

    def thresholds(
        self,
        name: str,
        bits: int,
        *,
        signed: bool = False,
        bipolar: bool = False,
        flips: bool = False,
        part: int = 4,
    ) -> None:
        """`flips`: about half of the channels decrease. Most lie within 1 / `part` of the type."""
        kind = self.last.type
        steps = (1 << bits) - 1
        # Close to where random sums lie, so that all codes occur; a few at the extremes.
        spread = max(2.0, kind.max / part)
        drawn = self.rng.normal(0, spread, (kind.shape[0], steps)).round().astype(np.int64)
        drawn[self.rng.random(drawn.shape) < 0.05] = kind.max + 1
        drawn = np.clip(drawn, kind.min, kind.max + 1)
        flip = self.rng.random(len(drawn)) < 0.5 if flips else None
        steps = np.sort(drawn, axis=1)
        self.add(name, Threshold(self.last.name, steps, bits, signed, bipolar, flip))

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

    def graph(self, output: str = "") -> Graph:
        return super().graph(output or self.last.name)


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


def branching(seed: int = 0) -> Graph:
    """A residual block with a depthwise branch, a concatenation and a mean: every operation."""
    rng = np.random.default_rng(seed)
    b = ChainBuilder(rng)
    b.input((3, 6, 5), 4, signed=bool(seed % 2))
    b.conv("stem", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q", 3, flips=True)
    b.conv("depthwise", 4, (3, 3), 3, pads=(1, 1, 1, 1), groups=4)
    b.thresholds("q_depthwise", 2, flips=True)
    b.conv("pointwise", 4, (1, 1), 4)
    b.thresholds("left", 3, signed=True, flips=True)
    b.at("stem")
    b.thresholds("right", 4)
    b.add("sum", Sum(("left", "right"), (2, 1)))
    b.thresholds("q_sum", 3, flips=True)
    b.at("sum")
    b.thresholds("q_wide", 5, signed=True)
    b.pool("pool", (2, 2), (1, 1), (1, 1, 0, 0))
    b.add("cat", Concat(("pool", "q_sum")))
    b.conv("dilated", 8, (2, 2), 3, groups=2, dilation=(2, 1))
    b.thresholds("q_dilated", 2, part=16)
    b.add("up", Upsample("q_dilated", (1, 2)))
    b.add("shuffled", DepthToSpace("up", 2, "CRD" if seed % 2 else "DCR"))
    b.add("padded", ZeroPad("shuffled", (1, 0), (0, 1, 1, 0)))
    b.add("mean", SumPool("padded", (3, 3), (2, 2), (1, 0, 0, 1)))
    kind = b.last.type
    steps = np.sort(rng.integers(kind.min, kind.max + 1, (kind.channels, 15)), axis=1)
    b.add("q_mean", Threshold("mean", steps, 4, flip=np.arange(kind.channels) % 2 == 0))
    b.flatten()
    b.dense("fc", 5, 3)
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
