"""alpha steered so that the bits come down to the budget while the search runs.

Ours; the authors choose alpha by hand and take the bits that it gives. A plan takes the cost from
its start to the budget, geometrically, over the first part of the phase. Some hundred times in it
the cost that re-quantising would leave now is compared with the plan, and alpha grows or shrinks
exponentially with the gap. Near the budget there is no penalty: `weights.fit` does the rest.
"""

import math
from typing import final

FIRST = 0.02  # alpha at the start; the authors' recipes have 0.002 to 0.02
DESCENT = 0.6  # share of the phase after which the budget should be reached
NEAR = 1.02  # times the budget: below that there is no penalty
GAIN = 24.0  # alpha grows by e^GAIN over the descent if nothing at all comes down
MOST = 0.4  # in the exponent, at once; phases of few steps are too short for their budget
LOOKS = 200  # at the cost, in a phase


@final
class Alpha:
    """The strength of the penalty: `value`, or 0 while it is not `pressing`."""

    def __init__(self, given: float | None) -> None:
        """`given`: the strength for the whole phase; None: steer it."""
        self.steered = given is None
        self.value = FIRST if given is None else given
        self.pressing = True

    @property
    def now(self) -> float:
        """Strength of the penalty."""
        return self.value if self.pressing else 0.0

    def steer(self, first: float, cost: float, budget: float, progress: float, looks: int) -> None:
        """One of the `looks` at the cost: `progress` (0..1) of the phase is over.

        `first` is the cost at the start, `cost` what re-quantising would leave now.
        """
        if not self.steered:
            return
        self.pressing = cost > NEAR * budget
        if first > budget:
            gain = min(GAIN / (DESCENT * looks), MOST)
            self.value *= math.exp(gain * lag(first, cost, budget, progress))


def lag(first: float, cost: float, budget: float, progress: float) -> float:
    """How far `cost` is behind the plan (ahead: below 0), as share of the descent: -1..1."""
    whole = math.log(first / budget)
    planned = math.log(first) - whole * min(progress / DESCENT, 1.0)
    return min(max((math.log(cost) - planned) / whole, -1.0), 1.0)
