"""Thresholds that lie on a straight line: the division that gives the same codes without a table.

A quantiser behind a product is a division by its step. Its thresholds t_1 .. t_K of a channel,
K = 2**bits - 1, are then

    t_k = ceil((k * slope + offset) / 2**shift)

for integers `slope`, `offset` and a small `shift`, which `bf_divide` computes codes from. Whether
there are such integers is found here, and every threshold is compared with its formula. Where no
accumulator is below the upper half of the codes, as behind a ReLU whose codes have a sign, the
thresholds of the lower half are not looked at, and the upper bit is 1.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.layers import ChannelLayer, Division, Layer, LinearLayer, Summing, acc_width
from bitfold.cost.units import DIVIDED_BITS, Divider
from bitfold.ir import Ints, IntType

MOST_SHIFT = 16
_MOST_RANGE = 1 << 28  # of accumulators; products with 2**MOST_SHIFT * K stay in 64 bits
_STEPS = 96  # of the search for a slope: each leaves two thirds of the interval

Reals = NDArray[np.float64]
Line = tuple[int, Ints, Ints]  # shift, slopes (C,), offsets (C,)


def divided(layer: Layer) -> Layer:
    """The layer with a division in place of its thresholds, where that gives the same codes."""
    if not isinstance(layer, LinearLayer | ChannelLayer) or layer.modes is not None:
        return layer
    old = layer.thresholds
    if old is None or old.bits < DIVIDED_BITS or layer.x.bipolar:
        return layer
    low, high = reachable(layer)
    steps = old.thresholds
    if (steps == steps[0]).all():  # one word for all channels
        steps, low, high = steps[:1], low.min(keepdims=True), high.max(keepdims=True)
    middle = 1 << (old.bits - 1)
    half = bool((steps[:, :middle] <= low[:, None]).all())
    found = divide(steps, low, high, first=middle + 1 if half else 1)
    if found is None:
        return layer
    _, slopes, offsets = found
    unit = _unit(found, (low, high), half, old.bits, acc_width(layer.acc))
    channels = len(old.thresholds)
    slopes, offsets = np.broadcast_to(slopes, channels), np.broadcast_to(offsets, channels)
    return replace(layer, division=Division(slopes=slopes, offsets=offsets, unit=unit))


def reachable(layer: Summing) -> tuple[Ints, Ints]:
    """(C,) least and greatest accumulator of each channel, over all that its operands can be."""
    if isinstance(layer, LinearLayer):
        weights = layer.matrix
    elif layer.weights is None:
        weights = np.full((layer.x.channels, layer.positions), 1, np.int64)
    else:
        weights = np.broadcast_to(layer.weights, (layer.positions, layer.x.channels)).T
    ends = np.stack([weights * layer.x.min, weights * layer.x.max])
    return ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1)


def divide(thresholds: Ints, low: Ints, high: Ints, first: int = 1) -> Line | None:
    """A line through the thresholds (C, K), or None where there is none; that of the least shift.

    Exact for accumulators in low..high, both (C,): proven threshold by threshold, from t_first on.
    """
    if int(np.abs([low, high]).max()) >= _MOST_RANGE:
        return None
    steps, ends = thresholds[:, first - 1 :], (low[:, None], high[:, None])
    k = np.arange(first, thresholds.shape[1] + 1)
    above, most = _bounds(steps, ends, thresholds.shape[1])
    ideal = _widest(above, most, k, (high - low + 2).astype(np.float64))
    for shift in range(MOST_SHIFT + 1):
        found = _on_grid(above, most, k, ideal * 2.0**shift, shift)
        if found is not None:
            _prove(steps, ends, k, (shift, *found))
            return shift, *found
    return None


def _bounds(thresholds: Ints, ends: tuple[Ints, Ints], count: int) -> tuple[Ints, Ints]:
    """k * slope + offset must be above the one and at most the other (C, K), before the shift.

    A threshold at or below every accumulator may lie anywhere there, one above all likewise.
    """
    low, high = ends
    far = 4 * count * (high - low + 2)
    always, never = thresholds <= low, thresholds > high
    above = np.where(always, low - far, np.where(never, high, thresholds - 1))
    most = np.where(always, low, np.where(never, high + far, thresholds))
    return above, most


def _room(above: Reals, most: Reals, k: Ints, slopes: Reals) -> Reals:
    """(C,) how much the offset may move at these slopes; negative: not at all."""
    line = k * slopes[:, None]
    room: Reals = (most - line).min(axis=1) - (above - line).max(axis=1)
    return room


def _widest(above: Ints, most: Ints, k: Ints, greatest: Reals) -> Reals:
    """(C,) slopes in 0..greatest that leave the offset the most room, which is concave in them."""
    upper, lower = most.astype(np.float64), above.astype(np.float64)
    left, right = np.zeros_like(greatest), greatest.copy()
    for _ in range(_STEPS):
        third = (right - left) / 3
        rises = _room(lower, upper, k, left + third) < _room(lower, upper, k, right - third)
        left, right = np.where(rises, left + third, left), np.where(rises, right, right - third)
    return left


def _on_grid(
    above: Ints, most: Ints, k: Ints, ideal: Reals, shift: int
) -> tuple[Ints, Ints] | None:
    """Integer slopes near the ideal ones that leave an offset; None: not everywhere."""
    near = np.round(ideal).astype(np.int64)
    slopes, offsets = near.copy(), np.zeros_like(near)
    open_ = np.ones(len(near), bool)
    for change in (0, -1, 1, -2, 2):
        tried = np.maximum(near[open_] + change, 0)
        line = k * tried[:, None]
        greatest = ((most[open_] << shift) - line).min(axis=1)
        fits = greatest > ((above[open_] << shift) - line).max(axis=1)
        (where,) = np.nonzero(open_)
        slopes[where[fits]], offsets[where[fits]] = tried[fits], greatest[fits]
        open_[where[fits]] = False
        if not open_.any():
            return slopes, offsets
    return None


def _prove(thresholds: Ints, ends: tuple[Ints, Ints], k: Ints, line: Line) -> None:
    """Every threshold that an accumulator can meet is the line's."""
    shift, slopes, offsets = line
    formula = -(-(k * slopes[:, None] + offsets[:, None]) >> shift)
    low, never = ends[0], ends[1] + 1
    same = formula.clip(low, never) == thresholds.clip(low, never)
    assert same.all(), "a division differs from its thresholds"


def _unit(line: Line, ends: tuple[Ints, Ints], half: bool, bits: int, acc_bits: int) -> Divider:
    """Sizes of the dividers: a trial that counts is acc * 2**shift - offset - k * slope.

    ends: least and greatest accumulators.
    """
    shift, slopes, offsets = line
    first = 1 << (bits - 1) if half else 1
    least = int(((ends[0] << shift) - offsets - slopes * ((1 << bits) - 1)).min())
    greatest = int(((ends[1] << shift) - offsets - slopes * first).max())
    slope_bits = max(1, int(slopes.max()).bit_length())
    trial = IntType.holding(min(least, -1), max(greatest, 0), ()).bits
    return Divider(
        shift=shift,
        # A step, slope * 2**(bits - 2), is added without a sign.
        width=max(trial, slope_bits + bits - 1, acc_bits),
        slope_bits=slope_bits,
        half=half,
    )
