"""Rounding modes of quantisers, by the names that QONNX gives them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float = TypeVar("Float", np.float32, np.float64)
Rounding = Callable[[NDArray[Float]], NDArray[Float]]


def _half_away(x: NDArray[Float]) -> NDArray[Float]:
    return np.asarray(np.sign(x) * np.floor(np.abs(x) + x.dtype.type(0.5)))


def _half_towards(x: NDArray[Float]) -> NDArray[Float]:
    return np.asarray(np.sign(x) * np.ceil(np.abs(x) - x.dtype.type(0.5)))


def _away(x: NDArray[Float]) -> NDArray[Float]:
    return np.asarray(np.sign(x) * np.ceil(np.abs(x)))


def _half_to_infinity(x: NDArray[Float]) -> NDArray[Float]:
    # x + 0.5 could round; the fraction is exact where it matters.
    below = np.floor(x)
    return np.asarray(below + (x - below >= x.dtype.type(0.5)))


# qonnx's own arithmetic, `resolve_rounding_mode`: ties go to even, away from zero ("HALF_UP") or
# towards it ("HALF_DOWN"); "UP" is away from zero, "DOWN" towards it. FINN counts thresholds that
# are reached, so that ties go to the greater integer: "FINN", a name of our own.
ROUNDING: Mapping[str, Rounding[np.float32]] = {
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": _away,
    "DOWN": np.trunc,
    "HALF_UP": _half_away,
    "HALF_DOWN": _half_towards,
    "FINN": _half_to_infinity,
}
# Other spellings of these, upper case.
SYNONYMS: Mapping[str, str] = {"ROUND": "HALF_EVEN", "ROUND_TO_ZERO": "DOWN"}
