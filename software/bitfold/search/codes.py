"""Integer weights of a layer, and the bits that hardware stores for them."""

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor

from bitfold.quant.lsq import LEAST_STEP


@final
@dataclass(frozen=True, eq=False)
class Codes:
    """Codes whose common trailing zeros are gone: each was `whole << shift`."""

    whole: Tensor  # int64, the weight's shape
    shift: int
    bits: int  # magnitude bits that the greatest needs, at least 1; the sign is one more

    def coarsening_error(self) -> float:
        """Squared error of storing one bit fewer, relative to the squared codes: 0..1."""
        exact = self.whole.double()
        energy = exact.square().sum()
        rounded = 2 * (exact / 2).round()
        return float((rounded - exact).square().sum() / energy) if energy > 0 else 0.0


def strip(codes: Tensor) -> Codes:
    """Divide integer codes by the greatest power of two that divides all of them.

    Masks may have holes: what hardware stores is the span from the highest bit in use to the
    lowest one, whatever lies between.
    """
    used = span_of(codes)
    if not used:
        return Codes(codes, 0, 1)
    return Codes(codes >> used[0], used[0], len(used))


def span_of(codes: Tensor) -> range:
    """Places from the lowest to the highest bit that any magnitude has; empty if all are zero."""
    magnitude = codes.abs()
    highest = int(magnitude.max())
    if not highest:
        return range(0)
    lowest = int((magnitude & -magnitude)[magnitude > 0].min())  # each code's lowest bit alone
    return range(lowest.bit_length() - 1, highest.bit_length())


def finer(step: float, bits: int) -> float:
    """The step that takes up so many bits more (fewer: negative), no finer than one can be."""
    while bits > 0 and math.ldexp(step, -bits) < LEAST_STEP:
        bits -= 1
    return math.ldexp(step, -bits)
