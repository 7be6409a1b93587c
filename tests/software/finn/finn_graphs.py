"""Integer graphs of what FINN has layers for."""

import numpy as np

from bitfold.ir import Graph
from bitfold.ir.ops import Concat, Flatten, Sum, SumPool, Upsample, ZeroPad
from integer_graphs import ChainBuilder


def residual(seed: int = 0) -> Graph:
    """A strided shortcut without weights, depthwise, groups, upsampling, a global sum."""
    b = ChainBuilder(np.random.default_rng(seed))
    b.input((3, 8, 8), 4, signed=bool(seed % 2))
    b.conv("stem", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q", 4)
    b.conv("depthwise", 4, (3, 3), 3, pads=(1, 0, 1, 2), groups=4, stride=(2, 2))
    b.thresholds("q_depthwise", 2, signed=True)
    b.conv("pointwise", 8, (1, 1), 4, groups=2)
    b.thresholds("left", 4)
    b.at("q")
    b.pool("every_second", (1, 1), (2, 2))
    b.add("right", ZeroPad("every_second", (1, 3)))
    b.add("sum", Sum(("left", "right"), (2, 1)))
    b.thresholds("q_sum", 3)
    b.conv("last", 4, (2, 2), 8, dilation=(2, 1))
    b.thresholds("q_last", 8, part=16)
    b.add("larger", Upsample("q_last", (2, 1)))
    b.add("mean", SumPool("larger", b.last.type.shape[1:], (1, 1)))
    b.thresholds("q_mean", 5)
    b.flatten()
    b.dense("fc", 5, 3)
    b.bias("fc_bias")
    return b.graph()


def windows(seed: int = 0) -> Graph:
    """Maxima, sums of windows, zeros around a map, branches side by side, features
    of a map in order."""
    b = ChainBuilder(np.random.default_rng(seed))
    b.input((2, 6, 8), 3)
    b.conv("first", 4, (3, 3), 2, pads=(1, 1, 1, 1))
    b.thresholds("q_first", 3)
    b.pool("greatest", (3, 3), (1, 1), (1, 1, 1, 1))
    b.at("q_first")
    b.add("summed", SumPool("q_first", (2, 2), (2, 2)))
    b.thresholds("q_summed", 3)
    b.at("greatest")
    b.pool("smaller", (2, 2), (2, 2))
    b.add("both", Concat(("smaller", "q_summed")))
    b.add("padded", ZeroPad("both", (0, 0), (0, 1, 1, 0)))
    b.conv("second", 3, (3, 3), 3, stride=(2, 2))
    b.thresholds("q_second", 2, part=16)
    b.add("flat", Flatten("q_second"))
    b.dense("dense", 6, 3)
    b.thresholds("q_dense", 2, part=16)
    b.dense("out", 3, 2)
    return b.graph()


def flattened(seed: int = 0) -> Graph:
    """What stands between a flattened map and the next layer: biases, thresholds, sums, others
    side by side."""
    b = ChainBuilder(np.random.default_rng(seed))
    b.input((2, 4, 3), 3)
    b.conv("conv", 4, (2, 2), 3)
    b.flatten("flat")
    b.bias("bias")
    b.thresholds("left", 3)
    b.at("flat")
    b.thresholds("right", 2, signed=True)
    b.add("sum", Sum(("left", "right"), (1, 3)))
    b.thresholds("q_sum", 4)
    b.add("both", Concat(("q_sum", "right")))
    b.dense("out", 3, 3)
    return b.graph()


def bipolar(seed: int = 0) -> Graph:
    """Signs throughout: windows and products of equal signs, a sum that leaves."""
    b = ChainBuilder(np.random.default_rng(seed))
    b.bipolar_input((3, 6, 6))
    b.conv("conv", 8, (3, 3), 1, bipolar=True)
    b.thresholds("q", 1, signed=True, bipolar=True)
    b.pool("pool", (2, 2), (2, 2))
    b.flatten()
    b.dense("fc", 8, 1, bipolar=True)
    b.thresholds("q_fc", 1, signed=True, bipolar=True)
    b.dense("out", 4, 1, bipolar=True)
    return b.graph()
