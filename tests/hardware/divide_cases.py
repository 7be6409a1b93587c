"""Random lines that the test of bf_divide writes and its bench compares with."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# pe, tpe, folds, acc_width, bits, signed, shift, one, half
SHAPES = [
    (1, 1, 1, 4, 2, 0, 0, 0, 0),
    (4, 4, 1, 12, 8, 1, 5, 0, 0),
    (4, 2, 3, 17, 8, 0, 9, 0, 0),
    (6, 2, 2, 9, 7, 1, 3, 1, 0),
    (3, 1, 2, 10, 5, 0, 1, 0, 0),
    (4, 2, 2, 11, 8, 1, 4, 0, 1),
]


def lines_of(p: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and offsets (Outputs,): from flat to steeper than accumulators reach, on any side."""
    rng = np.random.default_rng(p["AccWidth"] + 10 * p["OutBits"])
    outputs, steps = p["Pe"] * p["Folds"], 1 << p["OutBits"]
    half = 1 << (p["AccWidth"] + p["Shift"] - 1)
    even = max(1, 2 * half // steps)  # such that codes cover the accumulators
    slopes = rng.integers(0, 2 * even + 1, outputs)
    offsets = rng.integers(-half, half, outputs) - slopes * (steps // 2)
    slopes[0], offsets[0] = 0, 0
    slopes[-1], offsets[-1] = even, -half
    if outputs > 3:
        slopes[1], offsets[1] = 2 * half, 0  # the upper half is code 0, the lower too
        slopes[2], offsets[2] = even, 4 * half  # always 0
    if p.get("OneTable"):
        slopes[:], offsets[:] = even, -half + 3
    return slopes, offsets


def thresholds_of(p: Mapping[str, Any]) -> np.ndarray:
    """(Outputs, 2**OutBits - 1) least accumulators that reach a code."""
    slopes, offsets = lines_of(p)
    k = np.arange(1, 1 << p["OutBits"])
    thresholds = -(-(k * slopes[:, None] + offsets[:, None]) >> p["Shift"])
    if p["Half"]:
        thresholds[:, : len(k) // 2 + 1] = -1 << (p["AccWidth"] - 1)
    return thresholds


def sizes_of(p: Mapping[str, Any]) -> tuple[int, int]:
    """Bits of a trial and of a slope."""
    slopes, offsets = lines_of(p)
    half = 1 << (p["AccWidth"] + p["Shift"] - 1)
    first = 1 << (p["OutBits"] - 1) if p["Half"] else 1
    ends = [-half - offsets - slopes * ((1 << p["OutBits"]) - 1), half - offsets - slopes * first]
    most = max(int(np.abs(end).max()) for end in ends)
    slope = max(1, int(slopes.max()).bit_length())
    return max(most.bit_length() + 1, slope + p["OutBits"] - 1, p["AccWidth"]), slope
