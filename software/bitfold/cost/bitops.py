"""BitOps and model size."""


def bitops(macs: int, w_bits: int, a_bits: int) -> int:
    """Binary multiplications of a frame: MACs x weight bits x activation bits."""
    return macs * w_bits * a_bits


def size_bits(weights: int, w_bits: int) -> int:
    """Bits that a layer's weights occupy."""
    return weights * w_bits
