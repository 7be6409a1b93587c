"""Integer graphs whose values part and meet: residual, depthwise, concatenated, averaged."""

import numpy as np

from bitfold.ir import Graph, IntType, Op
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


class Branches(GraphBuilder):
    """Adds nodes to named values; every method returns the name of what it made."""

    def add(self, op: Op) -> str:
        return self.put(f"{type(op).__name__.lower()}{len(self.nodes)}", op)

    def input(self, shape: tuple[int, ...], bits: int, signed: bool = False) -> str:
        return self.add(Input(IntType(shape=shape, bits=bits, signed=signed)))

    def conv(
        self,
        x: str,
        outputs: int,
        kernel: int,
        bits: int,
        *,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        bipolar: bool = False,
    ) -> str:
        shape = (outputs, self.type(x).channels // groups, kernel, kernel)
        pad = (kernel - 1) * dilation // 2
        op = Conv(
            x,
            self.weights(shape, bits, bipolar),
            (stride, stride),
            (pad,) * 4,
            groups,
            (dilation, dilation),
        )
        return self.add(op)

    def codes(self, x: str, bits: int, signed: bool = False, flip: bool = False) -> str:
        """Thresholds near which sums of random values lie; some channels flipped."""
        kind = self.type(x)
        spread, middle = max(1.5, (kind.max - kind.min) / 12), (kind.max + kind.min) / 2
        steps = (kind.channels, (1 << bits) - 1)
        drawn = self.rng.normal(middle, spread, steps).round().astype(np.int64)
        drawn = np.sort(np.clip(drawn, kind.min, kind.max + 1), axis=1)
        flips = self.rng.random(kind.channels) < 0.5 if flip else None
        return self.add(Threshold(x, drawn, bits, signed, False, flips))

    def line(
        self, x: str, bits: int, signed: bool, rng: np.random.Generator, *, floor: bool = False
    ) -> str:
        """Thresholds that lie on a line, about as far as values of x do: what a scale makes.

        floor: no code is below the middle.
        """
        kind = self.type(x)
        steps = np.arange(1, 1 << bits)
        width = (kind.max - kind.min) * rng.uniform(0.2, 1.5, (kind.channels, 1)) / len(steps)
        begin = kind.min + (kind.max - kind.min) * rng.uniform(-0.1, 0.5, (kind.channels, 1))
        drawn = np.ceil(begin + steps * width).astype(np.int64).clip(kind.min, kind.max + 1)
        if floor:
            drawn[:, : 1 << bits - 1] = kind.min
        return self.add(Threshold(x, drawn, bits, signed, False, None))

    def layer(self, x: str, outputs: int, kernel: int = 3, bits: int = 2, **options: int) -> str:
        """A convolution and its codes."""
        w_bits = options.pop("w_bits", 3)
        signed = bool(options.pop("signed", 0))
        return self.codes(self.conv(x, outputs, kernel, w_bits, **options), bits, signed)

    def sum(self, *x: str, factors: tuple[int, ...] = ()) -> str:
        return self.add(Sum(x, factors or (1,) * len(x)))

    def concat(self, *x: str) -> str:
        return self.add(Concat(x))

    def max_pool(self, x: str, kernel: int, stride: int) -> str:
        return self.add(MaxPool(x, (kernel,) * 2, (stride,) * 2, (0,) * 4, self.type(x).min))

    def sum_pool(self, x: str, kernel: int = 0, stride: int = 1) -> str:
        size = self.type(x).shape[1:]
        window = (kernel, kernel) if kernel else (size[0], size[1])
        return self.add(SumPool(x, window, (stride, stride)))

    def zero_channels(self, x: str, before: int, behind: int) -> str:
        return self.add(ZeroPad(x, (before, behind)))

    def around(self, x: str, *pads: int, channels: tuple[int, int] = (0, 0)) -> str:
        top, left, bottom, right = pads
        return self.add(ZeroPad(x, channels, (top, left, bottom, right)))

    def repeat(self, x: str, down: int, across: int) -> str:
        return self.add(Upsample(x, (down, across)))

    def to_space(self, x: str, block: int, crd: bool = False) -> str:
        return self.add(DepthToSpace(x, block, "CRD" if crd else "DCR"))

    def dense(self, x: str, outputs: int, bits: int = 3) -> str:
        flat = self.add(Flatten(x))
        made = self.add(Dense(flat, self.weights((outputs, self.type(flat).channels), bits)))
        return self.add(AddBias(made, self.rng.integers(-9, 10, outputs)))


def residual() -> Graph:
    """Two blocks: identity shortcut, then one with a stride and a convolution in the shortcut."""
    b = Branches(np.random.default_rng(0))
    x = b.layer(b.input((2, 6, 6), 3), 4)
    y = b.layer(b.layer(x, 4), 4, bits=2, w_bits=2)
    x = b.codes(b.sum(x, y), 3)
    y = b.layer(b.layer(x, 8, stride=2), 8, bits=3, w_bits=2)
    x = b.codes(b.sum(b.layer(x, 8, kernel=1, stride=2, bits=3), y), 2)
    b.dense(b.codes(b.sum_pool(x), 4), 5)
    return b.graph()


def mixed_operands() -> Graph:
    """A signed code meets an unsigned one of other bits, on grids that differ by a factor."""
    b = Branches(np.random.default_rng(1))
    x = b.layer(b.input((3, 5, 4), 2), 6)
    y = b.layer(x, 6, bits=4, signed=1)
    x = b.codes(b.sum(x, y, factors=(3, -2)), 3, flip=True)
    b.dense(x, 4)
    return b.graph()


def depthwise() -> Graph:
    """As MobileNet: depthwise, pointwise; with strides, dilation, bipolar weights, a residual."""
    b = Branches(np.random.default_rng(2))
    x = b.layer(b.input((3, 8, 8), 4), 8, stride=2)
    y = b.layer(x, 8, groups=8, w_bits=4, bits=3)
    y = b.layer(y, 8, kernel=1, bits=2)
    x = b.codes(b.sum(x, y), 3)
    x = b.codes(b.conv(x, 8, 3, 1, groups=8, bipolar=True), 3)
    x = b.codes(b.conv(x, 8, 3, 3, groups=4, dilation=2), 2)
    x = b.layer(x, 12, kernel=1)
    b.dense(b.codes(b.sum_pool(x, 2, 2), 3), 6)
    return b.graph()


def concatenated() -> Graph:
    """Three branches side by side, one value of them read twice more."""
    b = Branches(np.random.default_rng(3))
    x = b.layer(b.input((2, 6, 5), 3), 4)
    y = b.layer(x, 4, kernel=1, bits=2)
    z = b.layer(y, 8, bits=2)
    x = b.concat(x, y, z)
    x = b.layer(x, 6)
    b.codes(b.sum(b.layer(x, 6, kernel=1, bits=3), x), 4)
    return b.graph()


def averaged() -> Graph:
    """The sums of all pixels leave; the input itself is read twice."""
    b = Branches(np.random.default_rng(4))
    x = b.input((2, 4, 4), 3, signed=True)
    y = b.layer(x, 2, bits=3, signed=1)
    b.sum_pool(b.codes(b.sum(x, y), 4))
    return b.graph()


def shared_sums() -> Graph:
    """As ResNet-20 with option A: sums that two quantisers read; a shortcut that drops pixels and
    adds channels of zeros."""
    b = Branches(np.random.default_rng(5))
    made = b.conv(b.input((2, 6, 6), 3), 4, 3, 3)
    grid, x = b.codes(made, 4, signed=True), b.codes(made, 2)
    y = b.codes(b.conv(b.layer(x, 4), 4, 3, 2), 4, signed=True)
    total = b.sum(grid, y)
    grid, x = b.codes(total, 4, signed=True), b.codes(total, 3)
    y = b.codes(b.conv(b.layer(x, 8, stride=2), 8, 3, 2), 4, signed=True)
    short = b.zero_channels(b.max_pool(grid, 1, 2), 2, 2)
    x = b.codes(b.sum(short, y), 3)
    b.dense(b.codes(b.sum_pool(x), 5), 4)
    return b.graph()


def flipped() -> Graph:
    """Channels that decrease, of values whose negatives need a bit more than they."""
    b = Branches(np.random.default_rng(6))
    x = b.input((4, 4, 4), 3, signed=True)
    flips = np.array([True, True, False, True])
    y = b.add(Threshold(x, np.tile([-3, 0, 3], (4, 1)), 2, flip=flips))
    z = b.add(Threshold(b.sum(x, x), np.tile([-7, -3, 4], (4, 1)), 2, flip=~flips))
    b.layer(b.concat(y, z), 4)
    return b.graph()


def upscaled() -> Graph:
    """As a U-Net and a sub-pixel network: repeated pixels meet a shortcut, depth goes to space."""
    b = Branches(np.random.default_rng(7))
    x = b.layer(b.input((2, 4, 6), 3), 4)
    y = b.repeat(b.layer(b.max_pool(x, 2, 2), 4, bits=2), 2, 2)
    y = b.to_space(b.layer(b.concat(x, y), 8, bits=3, signed=1), 2)
    z = b.to_space(b.layer(y, 18, kernel=1, stride=3), 3, crd=True)
    b.codes(b.sum(b.repeat(z, 2, 1), b.repeat(z, 2, 1)), 3)
    return b.graph()


def padded() -> Graph:
    """Zeros around the input, in front of a maximum, around a sum, beside channels of zeros, and
    more of them around a convolution and a mean than their kernels are wide."""
    b = Branches(np.random.default_rng(8))
    x = b.around(b.input((2, 3, 3), 4, signed=True), 1, 0, 0, 2)
    y = b.layer(b.max_pool(b.around(x, 1, 1, 1, 1), 2, 2), 3, signed=1)
    z = b.around(b.codes(b.sum(y, y), 3), 0, 2, 1, 0, channels=(1, 2))
    wide = Conv(z, b.weights((4, 6, 1, 2), 3), (2, 1), (3, 1, 0, 2))
    z = b.codes(b.add(wide), 2)
    z = b.codes(b.add(SumPool(z, (2, 2), (1, 2), (0, 2, 3, 1))), 3)
    alone = Conv(z, b.weights((4, 1, 1, 1), 2), (1, 1), (0, 1, 1, 0), groups=4)
    b.dense(b.codes(b.add(alone), 2), 3)
    return b.graph()


def dilated() -> Graph:
    """Kernels whose rows and columns lie apart: dense, depthwise, of one row, of signs."""
    b = Branches(np.random.default_rng(9))
    x = b.layer(b.input((2, 7, 9), 3, signed=True), 4, dilation=2)
    x = b.layer(x, 4, groups=4, dilation=3, stride=2)
    x = b.codes(b.add(Conv(x, b.weights((6, 4, 1, 3), 3), (1, 1), (0, 2, 0, 1), 1, (2, 2))), 2)
    x = b.codes(b.conv(x, 4, 2, 1, dilation=2, bipolar=True), 1)
    b.dense(x, 3)
    return b.graph()


def zeros_first() -> Graph:
    """Channels of zeros in front of the input: they have entered before its first beat can."""
    b = Branches(np.random.default_rng(0))
    x = b.codes(b.zero_channels(b.input((2, 3, 7), 5), 3, 0), 2, signed=True)
    b.add(Conv(x, b.weights((5, 1, 3, 3), 3), groups=5))
    return b.graph()


GRAPHS = {
    "dilated": dilated,
    "upscaled": upscaled,
    "padded": padded,
    "flipped": flipped,
    "shared sums": shared_sums,
    "residual": residual,
    "mixed operands": mixed_operands,
    "depthwise": depthwise,
    "concatenated": concatenated,
    "averaged": averaged,
}
