"""How fast the bits go down: what is still above the budget, a plan for it, and a pressure.

All of this is a reconstruction; the papers' readable parts say that parameter count and
quantisation error drive the bits, and no more.
"""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from bitfold.search.ilp import Floats

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

PLANNED = 0.5  # share of the phase after which the plan has spent the whole excess
MOMENTUM = 0.9  # that the feed-forward assumes; for others the feedback corrects
PROPORTIONAL, INTEGRAL = 20.0, 100.0  # feedback gains; critically damped in a phase of length 1
MOST_FEEDBACK = 7.0  # in the exponent: a factor of about a thousand either way


@final
class Excess:
    """What a choice of candidates costs above the budget; at or below 0 the budget is met.

    Of cycles each layer has its own excess, because the slowest one counts; else there is one sum.
    """

    def __init__(self, costs: Floats, limit: float, *, worst: bool) -> None:
        """`costs`: shape (layers, candidates), rising with the candidate, in the limit's unit."""
        self.costs, self.limit, self.worst = costs, limit, worst
        highest = np.full(len(costs), costs.shape[1] - 1)
        self.first = max(self._of(self._at(highest)), 0.0)  # with which the descent begins

    def met(self, current: Indices) -> bool:
        """Whether the candidates `current` (shape (layers,)) keep the budget."""
        return self._of(self._at(current)) <= 0

    def open(self, current: Indices) -> Bools:
        """Layers that still have to go down, and save something so. Shape (layers,)."""
        saving = self._at(current) > self.costs[:, 0]
        if self.worst:
            return np.asarray(saving & (self._at(current) > self.limit))
        return np.asarray(saving & (not self.met(current)))

    def left(self, current: Indices, travelled: Floats) -> float:
        """Share of the first excess that is left (1 to below 0), counting parts of a step.

        `travelled`: how far each layer is on its way to the next lower candidate, 0 to 1.
        """
        at, below = self._at(current), self._at(np.maximum(current - 1, 0))
        return self._of(at + travelled * (below - at)) / self.first

    def step(self, current: Indices) -> Floats:
        """What one step down saves in each open layer, as a share of the first excess."""
        saved = self._at(current) - self._at(np.maximum(current - 1, 0))
        return np.asarray(np.where(self.open(current), saved, 0).clip(min=0) / self.first)

    def _at(self, current: Indices) -> Floats:
        return np.asarray(self.costs[np.arange(len(self.costs)), current])

    def _of(self, parts: Floats) -> float:
        if self.worst:
            return float((parts - self.limit).clip(min=0).sum())
        return float(parts.sum()) - self.limit


def plan(progress: float) -> float:
    """Share of the excess that should be left after `progress` (0..1) of the phase's steps.

    It falls as a constant pressure makes it fall when the learning rate is a cosine, and goes on
    below 0: the stop looks at whole steps, so that parts of them are travelled beyond.
    """
    return 1 - _travel(progress) / _travel(PLANNED)


def _travel(progress: float) -> float:
    """Integral of the cosine rate (1 + cos(pi t)) from 0 to `progress`."""
    return progress + math.sin(math.pi * progress) / math.pi


@final
class Steering:
    """The strength of the pressure such that the excess follows the plan: PI control of its log.

    `drift` is the integral; it is all that has to survive between steps.
    """

    def __init__(self, steps: int, beta_lr: float) -> None:
        """`steps` of the phase; `beta_lr`, the first learning rate of the betas."""
        self.steps, self.drift = steps, 0.0
        self.forward = 2 * (1 - MOMENTUM) / (steps * _travel(PLANNED) * beta_lr)

    def strength(self, step: int, left: float) -> float:
        """Strength for step `step`, given the share of the excess that is left."""
        behind = left - plan(step / self.steps)
        self.drift = _bounded(self.drift + INTEGRAL * behind / self.steps)
        return self.forward * math.exp(_bounded(self.drift + PROPORTIONAL * behind))


def _bounded(value: float) -> float:
    return min(max(value, -MOST_FEEDBACK), MOST_FEEDBACK)


def direction(weight: Floats, excess_step: Floats) -> Floats:
    """Pressure on each open layer's beta, scaled so that strength 1 spends the excess at speed 1.

    `weight` (open layers,): relative pressures; `excess_step`: see `Excess.step`. Shape of weight.
    """
    speed = float(weight @ excess_step)
    return weight / speed if speed > 0 else weight


def travelled(betas: Sequence[float], start: float, threshold: float) -> Floats:
    """How far each beta is on its way from `start` to `threshold`. Shape (layers,)."""
    share = (start - np.asarray(betas, dtype=np.float64)) / (start - threshold)
    return np.asarray(share.clip(0, 1))
