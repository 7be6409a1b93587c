"""alpha: given, or steered along the plan to the budget."""

import math

import pytest

from bitfold.search.bsq.steer import DESCENT, FIRST, MOST, NEAR, Alpha, lag


def test_the_plan_is_geometric_from_the_start_to_the_budget() -> None:
    """From 8 to 2: halfway of the descent 4 are planned."""
    assert lag(8, 4, 2, DESCENT / 2) == pytest.approx(0)
    assert lag(8, 8, 2, 0) == pytest.approx(0)
    assert lag(8, 2, 2, DESCENT) == pytest.approx(0)
    assert lag(8, 2, 2, 1) == pytest.approx(0)
    assert lag(8, 4, 2, 1) == pytest.approx(0.5)
    assert lag(8, 2, 2, DESCENT / 2) == pytest.approx(-0.5)
    assert lag(8, 2, 2, 0) == pytest.approx(-1)
    assert lag(8, 1, 2, 0) == -1


def test_alpha_grows_behind_the_plan_and_shrinks_before_it() -> None:
    alpha = Alpha(None)
    assert alpha.now == FIRST
    alpha.steer(8, 8, 2, 0.5, 10)
    behind = alpha.value
    assert behind > FIRST
    alpha.steer(8, 2.5, 2, 0.1, 10)
    assert alpha.value < behind
    assert alpha.now == alpha.value


def test_there_is_no_penalty_near_the_budget_but_again_above_it() -> None:
    alpha = Alpha(None)
    alpha.steer(8, 2 * NEAR, 2, 1, 10)
    assert alpha.now == 0
    alpha.steer(8, 2.2, 2, 1, 10)
    assert alpha.now == alpha.value > 0


def test_a_budget_that_the_start_meets_needs_no_penalty() -> None:
    alpha = Alpha(None)
    alpha.steer(2, 2, 3, 0.5, 10)
    assert alpha.now == 0


def test_a_given_alpha_stays() -> None:
    alpha = Alpha(0.3)
    for cost in (8, 3, 1):
        alpha.steer(8, cost, 2, 1, 10)
        assert alpha.now == 0.3


def test_alpha_changes_little_at_once() -> None:
    """Even in a phase of so few steps that it is looked at ten times only."""
    alpha = Alpha(None)
    alpha.steer(8, 8, 2, 1, 10)
    assert alpha.value == pytest.approx(FIRST * math.exp(MOST))


@pytest.mark.parametrize("looks", [100, 140, 200])
@pytest.mark.parametrize("speed", [0.3, 1.0, 3.0])
def test_bits_that_fall_as_alpha_presses_end_near_the_budget(looks: int, speed: float) -> None:
    """A model of training: log cost falls by alpha times the rate, which falls as a cosine."""
    alpha, cost = Alpha(None), 8.0
    for look in range(looks):
        rate = (1 + math.cos(math.pi * look / looks)) / 2
        cost *= math.exp(-alpha.now * rate * speed * 40 / looks)
        alpha.steer(8, cost, 3, (look + 1) / looks, looks)
    assert 0.85 * 3 < cost <= 1.1 * 3
