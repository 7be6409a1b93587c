"""Integer thresholds of a monotone step function by bisection, and the proof that they hold.

The function comes as a callable: `codes(x)` with x (M, C) integers gives (M, C) integers, column
by column independent. What it is made of does not matter here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.types import Ints

Codes = Callable[[Ints], Ints]
Floats = NDArray[np.float32]
Reals = Callable[[Ints], Floats]
EXHAUSTIVE_RANGE = 1 << 16  # points a channel that are all tried
SAMPLES = 1 << 13  # evenly spaced points tried in a wider range
CHUNK = 1 << 20  # elements evaluated at once


def directions(codes: Codes, low: int, high: int, channels: int) -> Ints:
    """+1 or -1 for each channel: whether the function ends lower than it begins."""
    ends = codes(np.broadcast_to(np.array([[low], [high]]), (2, channels)))
    return np.where(ends[1] < ends[0], -1, 1).astype(np.int64)


def extremes(function: Reals, low: int, high: int, channels: int) -> Floats:
    """(2, C) least and greatest value of each channel, on the points that are tried."""
    points, rows = _tried(low, high), max(1, CHUNK // channels)
    parts = [
        function(np.broadcast_to(points[i : i + rows, None], (len(points[i : i + rows]), channels)))
        for i in range(0, len(points), rows)
    ]
    least = np.min([part.min(axis=0) for part in parts], axis=0)
    return np.stack([least, np.max([part.max(axis=0) for part in parts], axis=0)])


def _tried(low: int, high: int, every: bool = False) -> Ints:
    if every or high - low < EXHAUSTIVE_RANGE:
        return np.arange(low, high + 1)
    return np.unique(np.linspace(low, high, SAMPLES).astype(np.int64))


def bisect(codes: Codes, low: int, high: int, levels: Ints, channels: int) -> Ints:
    """(C, K): least x in low..high with codes(x) >= levels[k], or high + 1 where there is none.

    Right for channels that do not decrease; `first_violation` tells which do.
    """
    below = np.full((len(levels), channels), low, np.int64)
    above = np.full((len(levels), channels), high + 1, np.int64)
    rows = max(1, CHUNK // channels)
    while (below < above).any():
        middle = np.minimum((below + above) // 2, high)
        reached = np.concatenate(
            [
                codes(middle[i : i + rows]) >= levels[i : i + rows, None]
                for i in range(0, len(levels), rows)
            ]
        )
        open_ = below < above
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle + 1, below)
    return below.T


def first_violation(
    codes: Codes, low: int, high: int, thresholds: Ints, values: Ints, *, every: bool = False
) -> tuple[int, int] | None:
    """A (channel, x) where codes(x) != values[number of thresholds <= x], or None.

    None proves the thresholds, and that no channel decreases, on every point tried: all of
    low..high if that is at most `EXHAUSTIVE_RANGE` or `every` one is asked for, else an even
    sample, the ends, and both sides of every threshold.
    """
    channels = len(thresholds)
    points = _tried(low, high, every)
    rows = max(1, CHUNK // channels)
    for i in range(0, len(points), rows):
        x = np.broadcast_to(points[i : i + rows, None], (len(points[i : i + rows]), channels))
        bad = _violation(codes, x, thresholds, values)
        if bad is not None:
            return bad
    sides = np.concatenate([thresholds.T, thresholds.T - 1]).clip(low, high)
    for i in range(0, len(sides), rows):
        bad = _violation(codes, sides[i : i + rows], thresholds, values)
        if bad is not None:
            return bad
    return None


def _violation(codes: Codes, x: Ints, thresholds: Ints, values: Ints) -> tuple[int, int] | None:
    # Channel by channel, each contiguous.
    counts = np.stack([np.searchsorted(t, x[:, c], side="right") for c, t in enumerate(thresholds)])
    different = codes(x) != values[counts].T
    if not different.any():
        return None
    row, channel = np.argwhere(different)[0]
    return int(channel), int(x[row, channel])
