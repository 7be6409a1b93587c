"""Operations that move integers and compute nothing."""

from dataclasses import dataclass, replace
from math import prod
from typing import Literal, final

import numpy as np

from bitfold.ir.graph import Op
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class Flatten(Op):
    """(C, H, W) -> (C*H*W,), channel slowest as in ONNX."""

    x: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensor to flatten."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Same integers, one axis."""
        (x,) = types
        return replace(x, shape=(prod(x.shape),))

    def run(self, *values: Ints) -> Ints:
        """Reshape to (N, C*H*W)."""
        (x,) = values
        return x.reshape(len(x), -1)


@final
@dataclass(frozen=True, eq=False)
class Upsample(Op):
    """Each pixel `factor[0]` times down and `factor[1]` times across: nearest neighbour."""

    x: str
    factor: tuple[int, int]

    def __post_init__(self) -> None:
        assert min(self.factor) >= 1, self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Same integers, larger map."""
        (x,) = types
        channels, height, width = x.shape
        return replace(x, shape=(channels, height * self.factor[0], width * self.factor[1]))

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) -> (N, C, H * factor[0], W * factor[1])."""
        (x,) = values
        return x.repeat(self.factor[0], axis=2).repeat(self.factor[1], axis=3)


@final
@dataclass(frozen=True, eq=False)
class DepthToSpace(Op):
    """(C * b * b, H, W) -> (C, H * b, W * b), as ONNX's DepthToSpace.

    Of input channel k, mode "DCR" takes (row, column, C) as its digits, "CRD" (C, row, column).
    """

    x: str
    block: int
    mode: Literal["DCR", "CRD"]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Same integers, fewer channels, larger map."""
        (x,) = types
        channels, height, width = x.shape
        assert channels % (self.block * self.block) == 0, (x, self.block)
        shape = (channels // (self.block * self.block), height * self.block, width * self.block)
        return replace(x, shape=shape)

    def run(self, *values: Ints) -> Ints:
        """(N, C * b * b, H, W) -> (N, C, H * b, W * b)."""
        (x,) = values
        n, channels, height, width = x.shape
        b, depth = self.block, channels // (self.block * self.block)
        if self.mode == "DCR":
            parts = x.reshape(n, b, b, depth, height, width).transpose(0, 3, 4, 1, 5, 2)
        else:
            parts = x.reshape(n, depth, b, b, height, width).transpose(0, 1, 4, 2, 5, 3)
        return parts.reshape(n, depth, height * b, width * b)


@final
@dataclass(frozen=True, eq=False)
class ZeroPad(Op):
    """Zeros around a map: `channels` before and behind, `pads` = top, left, bottom, right."""

    x: str
    channels: tuple[int, int] = (0, 0)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        assert min(*self.channels, *self.pads) >= 0, self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The feature map."""
        return (self.x,)

    def infer(self, *types: IntType) -> IntType:
        """Same integers, more of them; a bipolar tensor has no zero."""
        (x,) = types
        assert not x.bipolar, x
        channels, height, width = x.shape
        top, left, bottom, right = self.pads
        shape = (channels + sum(self.channels), height + top + bottom, width + left + right)
        return replace(x, shape=shape)

    def run(self, *values: Ints) -> Ints:
        """(N, C, H, W) padded on its last three axes."""
        (x,) = values
        top, left, bottom, right = self.pads
        return np.pad(x, ((0, 0), self.channels, (top, bottom), (left, right)))
