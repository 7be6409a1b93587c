"""Cycles from input to output of the arithmetic cells: mirrors of the rules in their headers.

Integers only. Each is compared with the simulated module in tests/hardware.
"""

from functools import cache


def clog2(n: int) -> int:
    """Least k with 2^k >= n, for n >= 1."""
    return (n - 1).bit_length()


@cache
def popcount_latency(lanes: int, style: int) -> int:
    """Cycles of bf_popcount, at least 1. style: 0 any FPGA, 1 xc7, 2 ecp5 primitives.

    Raises: ValueError for lanes < 1 or an unknown style.
    """
    if lanes < 1 or style not in (0, 1, 2):
        raise ValueError(f"lanes >= 1 and style 0, 1 or 2 required, got {lanes!r} and {style!r}")
    if style != 1:
        return max(1, (clog2(lanes) + 1) // 2)
    cycles, heights = 1, first_heights(lanes)
    while max(heights) > 1:
        heights = (1,) * len(heights) if max(heights) <= 3 else compressed(heights)
        cycles += 1
    return cycles


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


def first_heights(lanes: int) -> tuple[int, ...]:
    """Bits of weight 1, 2, 4 ... behind the first cycle of a style 1 popcount (bf_popcount)."""
    eights, rest = divmod(lanes, 8)
    columns = lanes.bit_length()
    heights = (eights + (rest + 1) // 2, 3 * eights + rest // 2, eights)
    return (*heights, *(0,) * columns)[:columns]


def compressed(heights: tuple[int, ...]) -> tuple[int, ...]:
    """Column heights behind one step of bf_heap that is not the last."""
    counters: list[int] = []
    for k, bits in enumerate(heights):
        carries = counters[k - 2] if k >= 2 else 0
        if bits < 6 * carries:
            counters.append(bits // 6 + (bits % 6 >= 4))
        else:
            rest = bits - 6 * carries
            counters.append(carries + rest // 7 + (rest % 7 >= 5))
    if not any(counters):
        adders: list[int] = []
        for k, bits in enumerate(heights):
            adders.append(int(bits + (adders[k - 1] if k else 0) >= 4))
        below = (0, *adders)
        return tuple(h - 2 * a + b for h, a, b in zip(heights, adders, below, strict=False))
    after = []
    for k, bits in enumerate(heights):
        here, below_ = counters[k], counters[k - 1] if k >= 1 else 0
        carries = counters[k - 2] if k >= 2 else 0
        linked = min(here, carries)
        left = max(0, bits - 6 * linked - 7 * (here - linked))
        after.append(here + below_ + carries - linked + left)
    return tuple(after)
