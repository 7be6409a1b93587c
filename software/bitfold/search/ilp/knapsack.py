"""An exact solver for choosing one option per layer: Lagrangian bound, then dynamic programming.

The multiple-choice knapsack with several limits (Kellerer, Pferschy, Pisinger, Knapsack Problems,
2004, ch. 11). With multipliers m of the limits, the value of a choice that keeps them is

    bound + sum of reduced values + |m| . (distance to the ends of the limits),

where an option's reduced value, value + m . cost less its layer's minimum of that, is >= 0. So a
choice within `gap` of the bound is made of options with small reduced values alone; of those, all
partial choices are listed, layer by layer. The gap doubles until a choice is found. That one is
optimal, because all others lie above the gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from bitfold.errors import BudgetError
from bitfold.search.ilp.dual import Relaxed, multipliers
from bitfold.search.ilp.limit import Bools, Floats, Limit, Picks

Ints = npt.NDArray[np.int_]

STATES = 200_000  # partial choices kept at once; where there are more, this solver gives up
_ROUNDING = 1e-12  # of the largest cost: sums that differ by less may be equal
_TRIED = 100  # choices that are checked exactly


def choose(
    value: Floats, limits: Sequence[Limit], allowed: Bools, states: int = STATES
) -> Picks | None:
    """Minimise the summed `value` with each summed cost within its limit.

    Arguments and result as of `bitfold.search.ilp.choose`; None where more than `states` partial
    choices would have to be kept. Raises: BudgetError when no choice fits.
    """
    if not allowed.any((1, 2)).all():
        raise BudgetError("no choice of bits meets the budget: a layer has none left")
    program = _reduce(value, limits, allowed)
    widest = _widest_gap(program)
    gap = min(_first_gap(program), widest)
    while True:
        found = _search(program, gap, states)
        if found is None:
            return None
        for options in found[:_TRIED]:
            picks = tuple((int(o) // value.shape[2], int(o) % value.shape[2]) for o in options)
            if all(limit.holds(picks) for limit in limits):
                return picks
        if len(found):
            return None  # each breaks a limit by rounding; let another solver choose
        if gap >= widest:
            raise BudgetError("no choice of bits meets the budget")
        gap = min(2 * gap, widest)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class _Program:
    """One instance. Shapes as of `Relaxed`; `reduced` is infinite where not allowed."""

    reduced: Floats
    cost: Floats
    least: Floats
    most: Floats
    multiplier: Floats  # (limits,)

    def distance(self, lowest: Floats, highest: Floats) -> Floats:
        """What the ends that are not reached cost, when sums end in lowest..highest (n, limits)."""
        above = np.where(self.multiplier > 0, self.most - highest, 0.0)
        below = np.where(self.multiplier < 0, lowest - self.least, 0.0)
        cost: Floats = (above + below).clip(min=0) @ np.abs(self.multiplier)
        return cost


def _reduce(value: Floats, limits: Sequence[Limit], allowed: Bools) -> _Program:
    flat = np.where(allowed, value, np.inf).reshape(len(value), -1)
    cost = np.array([limit.table for limit in limits]).reshape(len(limits), *flat.shape)
    least = np.array([limit.least - math.fsum(limit.fixed) for limit in limits])
    most = np.array([limit.most - math.fsum(limit.fixed) for limit in limits])
    scale = np.maximum(np.abs(cost).max((1, 2), initial=0), 1e-300)
    relaxed = Relaxed(
        value=flat, cost=cost / scale[:, None, None], least=least / scale, most=most / scale
    )
    found = multipliers(relaxed)
    priced = relaxed.priced(found)
    return _Program(
        reduced=priced - priced.min(1, keepdims=True),
        cost=cost,
        least=least,
        most=most,
        multiplier=found / scale,
    )


def _first_gap(program: _Program) -> float:
    """Enough for one layer per limit to take its second best option."""
    seconds = np.sort(np.where(program.reduced > 0, program.reduced, np.inf).min(1))
    return float(seconds[min(max(len(program.cost), 1), len(seconds)) - 1])


def _widest_gap(program: _Program) -> float:
    """No choice is further above the bound."""
    allowed = np.isfinite(program.reduced)
    lowest = np.where(allowed, program.cost, np.inf).min(2).sum(1)
    highest = np.where(allowed, program.cost, -np.inf).max(2).sum(1)
    reduced = np.where(allowed, program.reduced, 0).max(1).sum()
    # Furthest from an end that is an upper one is the lowest sum, and the other way round.
    return float(reduced + program.distance(highest[None], lowest[None])[0])


def _search(program: _Program, gap: float, states: int) -> Ints | None:
    """Choices within `gap` of the bound. Shape (choices, layers), best first.

    Among them is an optimal one, if there is any; None when there were too many partial choices.
    """
    reduced, cost = program.reduced, program.cost
    near = reduced <= gap
    low = np.where(near, cost, np.inf).min(2)
    high = np.where(near, cost, -np.inf).max(2)
    # Layers that move the costs most come first, so that the rest can mend little.
    order = np.argsort(-(np.abs(program.multiplier) @ (high - low)), kind="stable")
    rest_low, rest_high = _rests(low[:, order]), _rests(high[:, order])
    rounding = _ROUNDING * len(reduced) * np.abs(cost).max((1, 2), initial=0)
    spent, sums = np.zeros(1), np.zeros((1, len(cost)))
    trail: list[tuple[Ints, Ints]] = []
    for i, layer in enumerate(order):
        options = np.flatnonzero(near[layer])
        more = spent[:, None] + reduced[layer, options]
        parent, which = np.nonzero(more <= gap)
        option = options[which]
        spent, sums = more[parent, which], sums[parent] + cost[:, layer, option].T
        lowest, highest = sums + rest_low[i + 1], sums + rest_high[i + 1]
        fits = (lowest <= program.most + rounding) & (highest >= program.least - rounding)
        reachable = spent + program.distance(lowest, highest) <= gap * (1 + 1e-9)
        kept = np.flatnonzero(fits.all(1) & reachable)
        kept = kept[_undominated(program, spent[kept], sums[kept])]
        if len(kept) > states:
            return None
        spent, sums = spent[kept], sums[kept]
        trail.append((parent[kept], option[kept]))
    best = np.argsort(spent + program.distance(sums, sums), kind="stable")
    return _choices(trail, order, best)


def _rests(parts: Floats) -> Floats:
    """Sums over the layers from each on; (limits, layers) -> (layers + 1, limits)."""
    sums = np.cumsum(parts[:, ::-1], axis=1)[:, ::-1].T
    return np.concatenate([sums, np.zeros((1, len(parts)))])


def _undominated(program: _Program, spent: Floats, sums: Floats) -> Ints:
    """Indices of the partial choices that may still lead to the best. Shapes (n,), (n, limits)."""
    if len(spent) < 2:
        return np.arange(len(spent))
    order: Ints = np.lexsort((spent, *sums.T))
    better = np.ones(len(order), dtype=np.bool_)
    if len(program.cost) == 1 and program.least[0] == -np.inf:
        # One upper limit: what costs more must be better, in value without its price.
        value = spent[order] - program.multiplier[0] * sums[order, 0]
        better[1:] = value[1:] < np.minimum.accumulate(value)[:-1]
    else:  # of equal sums only the best
        better[1:] = (np.diff(sums[order], axis=0) != 0).any(1)
    kept: Ints = order[better]
    return kept


def _choices(trail: Sequence[tuple[Ints, Ints]], order: Ints, last: Ints) -> Ints:
    """The option of each layer, for the partial choices `last` of the last layer."""
    chosen = np.zeros((len(last), len(order)), dtype=np.int_)
    at = last
    for layer, (parent, option) in zip(order[::-1], reversed(trail), strict=True):
        chosen[:, layer] = option[at]
        at = parent[at]
    return chosen
