"""Cycles from input to output of the arithmetic cells: mirrors of the formulas in their headers.

Integers only. Each is compared with the simulated module in tests/hardware.
"""


def clog2(n: int) -> int:
    """Least k with 2^k >= n, for n >= 1."""
    return (n - 1).bit_length()


def popcount_latency(lanes: int, style: int) -> int:
    """Cycles of bf_popcount, at least 1. style: 0 any FPGA, 1 xc7 primitives."""
    if lanes < 1 or style not in (0, 1):
        raise ValueError(f"lanes >= 1 and style 0 or 1 required, got {lanes!r} and {style!r}")
    return max(1, clog2(lanes) if style else (clog2(lanes) + 1) // 2)


def dot_latency(
    simd: int,
    wp: int,
    ap: int,
    *,
    weight_bipolar: bool,
    act_bipolar: bool,
    style: int,
) -> int:
    """Cycles of bf_dot from a beat with last_i to acc_valid_o, which is when acc_o is complete."""
    correct = int(weight_bipolar and not act_bipolar)
    return popcount_latency(simd, style) + clog2(ap) + clog2(wp) + correct + 1
