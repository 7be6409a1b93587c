"""What a matrix-vector-threshold unit computes, in integers."""

import numpy as np

from bitfold.sim.reference.planes import Ints


def apply_thresholds(acc: Ints, thresholds: Ints) -> Ints:
    """acc (N, MH), thresholds (MH, K) ascending -> counts of thresholds reached (N, MH)."""
    return np.asarray((acc[:, :, None] >= thresholds[None, :, :]).sum(axis=2))


def mvtu(
    x: Ints,
    matrix: Ints,
    *,
    thresholds: Ints | None = None,
    out_signed: bool = False,
    bias: Ints | None = None,
) -> Ints:
    """x (N, MW) values, matrix (MH, MW) values -> (N, MH).

    With thresholds (MH, 2**b - 1): codes of b bits, least value first: the count, as two's
    complement code of count - 2**(b-1) when out_signed. Without: x @ matrix.T + bias.
    """
    acc = x @ matrix.T
    if thresholds is None:
        return acc if bias is None else acc + bias
    counts = apply_thresholds(acc, thresholds)
    half = (thresholds.shape[1] + 1) // 2
    return counts ^ half if out_signed else counts


def vvau(
    x: Ints,
    weights: Ints,
    *,
    thresholds: Ints | None = None,
    out_signed: bool = False,
    bias: Ints | None = None,
) -> Ints:
    """x (N, positions, C) values, weights (positions, C) or (positions, 1) -> (N, C).

    Thresholds (C, 2**b - 1) and bias (C,) as in `mvtu`.
    """
    acc = (x * weights).sum(axis=1)
    if thresholds is None:
        return np.asarray(acc if bias is None else acc + bias)
    counts = apply_thresholds(acc, thresholds)
    half = (thresholds.shape[1] + 1) // 2
    return counts ^ half if out_signed else counts


def unipolar_thresholds(matrix: Ints, thresholds: Ints) -> Ints:
    """Thresholds for sum(w * b), given those for sum(w * (2b - 1)) of bipolar activations.

    matrix (MH, MW), thresholds (MH, K) -> (MH, K). 2s - sum(w) >= t exactly when
    s >= ceil((t + sum(w)) / 2): bipolar activations meet integer weights as unsigned 1-bit ones.
    """
    return np.asarray(-(-(thresholds + matrix.sum(axis=1)[:, None]) // 2))


def unipolar_bias(matrix: Ints, bias: Ints | None) -> Ints:
    """The same for a last layer: sum(w * (2b - 1)) + bias = (sum(w * b) << 1) + this; (MH,)."""
    shift = -matrix.sum(axis=1)
    return np.asarray(shift if bias is None else shift + bias)
