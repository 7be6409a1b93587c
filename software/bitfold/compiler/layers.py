"""Layers as the hardware sees them: what `lower` makes of the integer graph.

A layer's `name` is also that of the value it gives; `reads` names the values it takes, in order of
the operands.
"""

from dataclasses import dataclass
from math import prod
from typing import final

from bitfold.cost import LayerShape
from bitfold.cost.units import Divider
from bitfold.ir import Ints, IntType
from bitfold.ir.ops import Conv, DepthToSpace, MaxPool, SumPool, Threshold, Upsample, ZeroPad
from bitfold.ir.ops.threshold import Flags


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class LayerModes:
    """What a layer does in each precision mode of an accelerator that has several.

    kept:       planes of weights and activations that count.
    thresholds: (C, 2**bits - 1) for the bits that are built; None where there are none.
    flips:      channels (C,) whose codes are inverted; None: in no mode.
    biases:     (C,) where accumulators leave the network.
    own:        the layer whose planes decide all this, where the host may choose them; else "".
    """

    kept: tuple[tuple[int, int], ...]
    thresholds: tuple[Ints, ...] | None
    flips: tuple[Flags, ...] | None
    biases: tuple[Ints, ...] | None
    own: str = ""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Division:
    """What gives a layer's codes in place of its thresholds t_k, k = 1 .. 2**bits - 1:

    t_k = ceil((k * slope + offset) / 2**shift), slopes and offsets (C,); see `division`.
    """

    slopes: Ints
    offsets: Ints
    unit: Divider


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class LinearLayer:
    """A matrix product with what follows it: thresholds, or a bias where accumulators leave the
    network. raw: accumulators leave as planes, to readers with thresholds of their own.

    matrix (outputs, inputs): columns in stream order; values as in the graph, 0 for the channels of
    other groups.
    """

    name: str
    reads: tuple[str, ...]
    matrix: Ints
    w_bits: int
    w_bipolar: bool
    x: IntType
    conv: Conv | None
    acc: IntType
    thresholds: Threshold | None
    bias: Ints | None
    pixels: int
    out: IntType
    raw: bool = False
    groups: int = 1
    modes: LayerModes | None = None
    division: Division | None = None

    @property
    def macs(self) -> int:
        """Products of a frame."""
        return self.pixels * self.matrix.size // self.groups

    @property
    def shape(self) -> LayerShape:
        """For the cost formulas."""
        outputs, inputs = self.matrix.shape
        channels = self.x.channels if self.conv else inputs
        return LayerShape(
            name=self.name, outputs=outputs, inputs=inputs, pixels=self.pixels, channels=channels
        )


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ChannelLayer:
    """Every channel by itself: depthwise convolution, sum pooling, sum of several values, or other
    thresholds for codes.

    weights (positions, C), (positions, 1), or None where all are 1. w_planes: of the weights of a
    convolution in a network whose modes count them, those of their type; else 0.
    window: what makes the positions of each operand; None: a pixel, or with `whole` all pixels.
    raw: as of LinearLayer.
    """

    name: str
    reads: tuple[str, ...]
    weights: Ints | None
    x: IntType  # of each operand
    window: Conv | SumPool | None
    whole: bool
    acc: IntType
    thresholds: Threshold | None
    bias: Ints | None
    out: IntType
    raw: bool = False
    modes: LayerModes | None = None
    division: Division | None = None
    w_planes: int = 0

    @property
    def positions(self) -> int:
        """Values of a channel in a vector."""
        if self.window is not None:
            return prod(self.window.kernel)
        return len(self.reads) * (prod(self.x.shape[1:]) if self.whole else 1)

    @property
    def w_bits(self) -> int:
        """Bits of a weight; 1 where there are none."""
        if self.weights is None:
            return 1
        least, most = min(-1, int(self.weights.min())), int(self.weights.max())
        return max(self.w_planes, IntType.holding(least, most, ()).bits)

    @property
    def pixels(self) -> int:
        """Vectors of a frame."""
        return prod(self.acc.shape[1:])

    @property
    def shape(self) -> LayerShape:
        """For the cost formulas."""
        channels = self.x.channels
        return LayerShape(
            name=self.name,
            outputs=channels,
            inputs=self.positions,
            pixels=self.pixels,
            channels=channels,
            groups=channels,
        )


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class PoolLayer:
    """A maximum of each window of codes, or of the input."""

    name: str
    reads: tuple[str, ...]
    pool: MaxPool
    x: IntType
    out: IntType


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ConcatLayer:
    """Channels of several values behind one another; a value "" stands for zeros."""

    name: str
    reads: tuple[str, ...]
    parts: tuple[IntType, ...]
    out: IntType


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class MoveLayer:
    """Codes, or the input, at other places of a map; a ZeroPad adds pixels alone."""

    name: str
    reads: tuple[str, ...]
    op: Upsample | DepthToSpace | ZeroPad
    x: IntType
    out: IntType


Layer = LinearLayer | ChannelLayer | PoolLayer | ConcatLayer | MoveLayer
Summing = LinearLayer | ChannelLayer


def acc_width(acc: IntType) -> int:
    """Bits of a two's complement accumulator for values of type `acc`; bf_dot takes 2 at least."""
    return max(2, acc.bits + (0 if acc.signed else 1))
