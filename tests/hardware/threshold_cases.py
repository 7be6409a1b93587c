"""Random thresholds that the test of bf_threshold writes and its bench compares with."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# pe, tpe, folds, acc_width, bits, signed
SHAPES = [
    (1, 1, 1, 2, 1, 0),
    (4, 4, 1, 9, 2, 1),
    (4, 2, 3, 12, 4, 0),
    (6, 2, 2, 7, 3, 1),
    (3, 1, 1, 10, 8, 0),
    (4, 2, 2, 5, 1, 1),
]
ONE_TABLE = [(4, 2, 3, 12, 4, 0), (6, 1, 1, 9, 8, 1)]


def thresholds_of(p: Mapping[str, Any]) -> np.ndarray:
    """(Outputs, 2**OutBits - 1), ascending; with duplicates, never, always and both in one.

    With OneTable all channels have the same.
    """
    rng = np.random.default_rng(p["AccWidth"])
    half = 1 << (p["AccWidth"] - 1)
    count = (1 << p["OutBits"]) - 1
    outputs = p["Pe"] * p["Folds"]
    drawn = rng.integers(-half, half, (outputs, count))
    drawn[0] = half  # above every accumulator
    drawn[-1] = -half  # below or at every accumulator
    if outputs > 2:
        drawn[1, : count // 2], drawn[1, count // 2 :] = -half, half
        drawn[2] = drawn[2, 0]
    if p.get("OneTable"):
        drawn[:] = rng.integers(-half, half, count)
    return np.sort(drawn, axis=1)


def accumulators(p: dict, thresholds: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, Outputs): extremes, values at and beside thresholds, and random ones."""
    rng = np.random.default_rng(seed)
    half = 1 << (p["AccWidth"] - 1)
    acc = rng.integers(-half, half, (count, len(thresholds)))
    for c, row in enumerate(thresholds):
        near = rng.choice(row, count) + rng.integers(-1, 2, count)
        acc[::2, c] = near[::2]
    acc[0], acc[1] = -half, half - 1
    return acc.clip(-half, half - 1)
