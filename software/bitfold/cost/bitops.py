"""BitOps and model size. Only + and * so that ints, arrays and tensors all work."""

from typing import TypeVar

T = TypeVar("T")


def bitops(macs: T, w_bits: T, a_bits: T) -> T:
    """Binary multiplications of a frame: MACs x weight bits x activation bits."""
    return macs * w_bits * a_bits  # type: ignore[operator, no-any-return]  # ints to tensors


def size_bits(weights: T, w_bits: T) -> T:
    """Bits that a layer's weights occupy."""
    return weights * w_bits  # type: ignore[operator, no-any-return]  # ints to tensors
