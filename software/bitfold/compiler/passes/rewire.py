"""Exchange what an operation reads."""

from dataclasses import replace

from bitfold.ir.graph import Op
from bitfold.ir.ops import AddBias, Conv, Dense, Flatten, MaxPool, Threshold


def reading(op: Op, source: str) -> Op:
    """`op` reading node `source` in place of its only input."""
    assert isinstance(op, AddBias | Conv | Dense | Flatten | MaxPool | Threshold), op
    return replace(op, x=source)
