"""The graph's input."""

from dataclasses import dataclass
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
