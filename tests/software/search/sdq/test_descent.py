"""What is above the budget, the plan, and the pressure that follows it."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bitfold.search.sdq.descent import PLANNED, Excess, Steering, direction, plan, travelled

COSTS = np.array([[10.0, 20, 30], [1, 2, 4]])


def at(*current: int) -> np.ndarray:
    return np.array(current)


def test_a_sums_excess_is_what_is_above_the_limit() -> None:
    excess = Excess(COSTS, 24, worst=False)
    assert excess.first == 34 - 24
    assert excess.open(at(2, 2)).all()
    assert not excess.met(at(2, 0))
    assert excess.met(at(1, 2))
    assert not excess.open(at(1, 2)).any()  # all layers stop at the budget
    assert excess.open(at(2, 0)).tolist() == [True, False]  # the lowest has nowhere to go
    assert excess.left(at(2, 2), np.array([0.0, 0.0])) == 1
    assert excess.left(at(2, 2), np.array([0.3, 0.5])) == pytest.approx((34 - 3 - 1 - 24) / 10)
    assert excess.step(at(2, 2)).tolist() == pytest.approx([1.0, 0.2])


def test_of_cycles_each_layer_has_its_own() -> None:
    excess = Excess(COSTS, 3, worst=True)
    assert excess.first == 27 + 1
    assert excess.open(at(2, 1)).tolist() == [True, False]
    assert not excess.met(at(0, 1))
    assert Excess(COSTS, 12, worst=True).met(at(0, 2))
    assert excess.left(at(1, 2), np.array([0.5, 0.0])) == pytest.approx((12 + 1) / 28)


def test_a_layer_that_saves_nothing_stays() -> None:
    flat = np.array([[5.0, 5, 9], [1, 2, 4]])
    assert Excess(flat, 3, worst=False).open(at(1, 1)).tolist() == [False, True]


def test_a_budget_that_is_met_at_the_start_opens_nothing() -> None:
    excess = Excess(COSTS, 50, worst=False)
    assert excess.met(at(2, 2))
    assert not excess.open(at(2, 2)).any()


def test_the_plan_falls_to_zero_and_on() -> None:
    points = [plan(i / 100) for i in range(101)]
    assert points[0] == 1
    assert all(a > b for a, b in pairwise(points))
    assert plan(PLANNED) == pytest.approx(0)
    assert points[-1] < -0.1


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.0, 3.0, 10.0])
def test_the_excess_follows_the_plan_at_any_gain(gain: float) -> None:
    """The gain stands for what the steering cannot know: momentum, the task's resistance."""
    steps, rate = 200, 0.1
    steering = Steering(steps, rate)
    left, behind = 1.0, []
    for step in range(steps):
        strength = steering.strength(step, left)
        cosine = (1 + math.cos(math.pi * step / steps)) / 2
        left -= gain * strength * rate * cosine / 0.1  # 0.1 = 1 - momentum
        behind.append(left - plan((step + 1) / steps))
    assert max(abs(b) for b in behind[:150]) < 0.15
    assert left < 0.02


def test_strength_one_spends_the_excess_at_speed_one() -> None:
    pull = direction(np.array([1.0, 3.0]), np.array([0.5, 0.1]))
    assert pull @ np.array([0.5, 0.1]) == pytest.approx(1)
    assert pull[1] == pytest.approx(3 * pull[0])
    assert direction(np.zeros(2), np.zeros(2)).tolist() == [0, 0]


def test_travel_is_counted_from_the_start_to_the_threshold() -> None:
    came = travelled([0.9, 0.5, 0.1, 0.05, 1.0], 0.9, 0.1)
    assert came.tolist() == pytest.approx([0, 0.5, 1, 1, 0])
