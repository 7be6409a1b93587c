"""Multipliers of the limits: the Lagrangian dual, by Newton steps on a smoothed copy of it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.search.ilp.limit import Floats

COOLING = 5.0  # the smoothing shrinks by this
LAST = 1e-5  # of the mean spread of the values: where it ends
STEPS = 8  # Newton steps at one smoothing, at most


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Relaxed:
    """One option per layer, least summed value, each summed cost between `least` and `most`.

    Shapes: value (layers, options), infinite where not allowed; cost (limits, layers, options),
    entries up to about 1; least and most (limits,), where there is none infinite.
    """

    value: Floats
    cost: Floats
    least: Floats
    most: Floats

    def priced(self, at: Floats) -> Floats:
        """Value plus what the costs cost at these multipliers. Shape (layers, options)."""
        priced: Floats = self.value + np.tensordot(at, self.cost, 1)
        return priced

    def ends(self, at: Floats) -> Floats:
        """The end of each limit that its multiplier speaks of: the upper one where positive."""
        return np.where(at > 0, self.most, np.where(at < 0, self.least, 0.0))

    def bound(self, at: Floats) -> float:
        """No choice within the limits has a summed value below this, whatever `at` is."""
        return float(self.priced(at).min(1).sum() - at @ self.ends(at))


def multipliers(relaxed: Relaxed) -> Floats:
    """Multipliers with about the highest `bound`, one per limit.

    The minimum over options is smoothed to -T log sum exp(-x / T): concave, with the gradient
    E[cost] - end and the Hessian -Cov[cost] / T under the soft choice. T falls from round to round.
    """
    at = np.zeros(len(relaxed.cost))
    best, best_bound = at, relaxed.bound(at)
    highest = np.where(np.isfinite(relaxed.value), relaxed.value, -np.inf).max(1)
    spread = float((highest - relaxed.value.min(1)).mean())
    smoothing = spread
    while smoothing > spread * LAST:
        at = _climb(relaxed, at, smoothing)
        bound = relaxed.bound(at)
        if bound > best_bound:
            best, best_bound = at, bound
        smoothing /= COOLING
    return best


def _climb(relaxed: Relaxed, start: Floats, smoothing: float) -> Floats:
    """Maximise the smoothed dual from `start`; a multiplier stops where it would change sign."""
    at = start
    height, share = _smoothed(relaxed, at, smoothing)
    for _ in range(STEPS):
        parts = share * relaxed.cost
        means = parts.sum(2)
        total = means.sum(1)
        # At 0 a limit pulls only where it is broken.
        end = np.where(at == 0, np.clip(total, relaxed.least, relaxed.most), relaxed.ends(at))
        slope = total - end
        side = np.where(at == 0, np.sign(slope), np.sign(at))
        free = side != 0
        if not free.any():
            break
        curve = np.einsum("klo,jlo->kj", parts, relaxed.cost) - means @ means.T
        curve = curve[np.ix_(free, free)] / smoothing
        curve += np.eye(len(curve)) * (1e-9 * np.trace(curve) + 1e-12)
        step = np.zeros_like(at)
        step[free] = np.linalg.solve(curve, slope[free])
        before, size = height, 1.0
        while size > 1e-3:
            tried = at + size * step
            tried = np.where(tried * side > 0, tried, 0.0)
            height, share = _smoothed(relaxed, tried, smoothing)
            if height > before:
                at = tried
                break
            size /= 4
        if height - before < 1e-7 * abs(before):
            break
    return at


def _smoothed(relaxed: Relaxed, at: Floats, smoothing: float) -> tuple[float, Floats]:
    """Smoothed dual at these multipliers, and the share of each option in the soft choice."""
    power = relaxed.priced(at) / -smoothing
    highest = power.max(1, keepdims=True)
    share = np.exp(power - highest)
    sums = share.sum(1, keepdims=True)
    height = -smoothing * float((highest + np.log(sums)).sum()) - float(at @ relaxed.ends(at))
    return height, share / sums
