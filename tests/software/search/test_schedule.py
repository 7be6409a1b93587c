"""Learning rates over a phase."""

import math

import pytest

from bitfold.errors import ConfigError
from bitfold.search.recipe import Recipe
from bitfold.search.schedule import factor


def recipe(**changes: object) -> Recipe:
    settings: dict[str, object] = {
        "phase": "float",
        "epochs": 10,
        "lr": 0.1,
        "batch": 32,
        "seed": 0,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "augment": "none",
    }
    return Recipe(**{**settings, **changes})


def test_a_cosine_falls_from_one_towards_zero() -> None:
    rates = [factor(recipe(), step, 50) for step in range(50)]
    assert rates == [(1 + math.cos(math.pi * (step / 50))) / 2 for step in range(50)]
    assert rates[0] == 1
    assert 0 < rates[-1] < 0.002


def test_warm_up_rises_linearly_to_one_and_the_cosine_takes_the_rest() -> None:
    rates = [factor(recipe(warmup=2), step, 50) for step in range(50)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10:] == [(1 + math.cos(math.pi * (i / 40))) / 2 for i in range(40)]


def test_milestones_multiply_the_rate_from_their_step_on() -> None:
    settings = recipe(schedule="step", milestones=(0.5, 0.75), factor=0.1, warmup=1)
    rates = [factor(settings, step, 20) for step in range(20)]
    assert rates[:2] == [0.5, 1]
    assert rates[2:10] == [1] * 8
    assert rates[10:15] == [0.1] * 5
    assert rates[15:] == pytest.approx([0.01] * 5)


def test_a_warm_up_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="'float' is 10 of its 10 epochs; it must end before"):
        recipe(warmup=10)
