"""Random thresholds that the test of bf_threshold writes and its bench compares with."""

from collections.abc import Mapping
from typing import Any

import numpy as np


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
