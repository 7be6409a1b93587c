"""Where branches meet: the sum of several tensors, and one behind the other."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.ir.graph import Op
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class Sum(Op):
    """y = sum_i factors[i] * x[i], element-wise; all x of one shape.

    The factors bring operands of different scales to one grid.
    """

    x: tuple[str, ...]
    factors: tuple[int, ...]

    def __post_init__(self) -> None:
        assert len(self.x) == len(self.factors) > 0, self
        assert all(self.factors), self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The summands; a node may stand twice."""
        return self.x

    def infer(self, *types: IntType) -> IntType:
        """Wide enough for any operands."""
        assert len({t.shape for t in types}) == 1, types
        ends = [sorted((k * t.min, k * t.max)) for k, t in zip(self.factors, types, strict=True)]
        low, high = sum(e[0] for e in ends), sum(e[1] for e in ends)
        return IntType.holding(low, high, types[0].shape)

    def run(self, *values: Ints) -> Ints:
        """Element-wise on (N, *shape)."""
        products = [k * v for k, v in zip(self.factors, values, strict=True)]
        return np.asarray(np.sum(products, axis=0), np.int64)


@final
@dataclass(frozen=True, eq=False)
class Concat(Op):
    """The operands behind one another on the channel axis, the first.

    The result's type holds all of them: bipolar only where all are, signed where one is.
    """

    x: tuple[str, ...]

    def __post_init__(self) -> None:
        assert self.x, self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The operands in order; a node may stand twice."""
        return self.x

    def infer(self, *types: IntType) -> IntType:
        """All channels; the other axes are those of each operand."""
        assert len({t.shape[1:] for t in types}) == 1, types
        shape = (sum(t.channels for t in types), *types[0].shape[1:])
        if all(t.bipolar for t in types):
            return IntType(shape=shape, bits=1, signed=True, bipolar=True)
        assert not any(t.bipolar for t in types), types
        low, high = min(t.min for t in types), max(t.max for t in types)
        return IntType.holding(low, high, shape)

    def run(self, *values: Ints) -> Ints:
        """Along axis 1 of (N, C, ...)."""
        return np.concatenate(values, axis=1)
