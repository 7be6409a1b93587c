"""Operations that compute nothing: the graph's input, and a change of shape."""

from dataclasses import dataclass
from math import prod
from typing import final

from bitfold.ir.graph import Op
from bitfold.ir.types import Ints, IntType


@final
@dataclass(frozen=True, eq=False)
class Input(Op):
    """The integers that enter; their type is stated, not inferred."""

    type: IntType

    @property
    def inputs(self) -> tuple[str, ...]:
        """None."""
        return ()

    def infer(self, *types: IntType) -> IntType:
        """The stated type."""
        return self.type

    def run(self, *values: Ints) -> Ints:
        """Identity on the fed value (N, *shape)."""
        (x,) = values
        return x


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
        return IntType(shape=(prod(x.shape),), bits=x.bits, signed=x.signed, bipolar=x.bipolar)

    def run(self, *values: Ints) -> Ints:
        """Reshape to (N, C*H*W)."""
        (x,) = values
        return x.reshape(len(x), -1)
