"""From the run file to the recipes of its phases."""

import pytest

from bitfold.errors import ConfigError
from bitfold.search.phases import recipes

from .nets import run_file

TRAIN = {
    "float_epochs": 10,
    "finetune_epochs": 8,
    "compare_epochs": 4,
    "float_warmup": 3,
    "finetune_warmup": 2,
    "ema": 0.9,
    "keep": "best",
    "search_distill": 0.25,
    "finetune_distill": 1.0,
}


def test_each_phase_has_its_own_settings() -> None:
    made = recipes(run_file(train=TRAIN))
    assert list(made) == ["float", "search", "finetune", "uniform8"]
    assert [recipe.phase for recipe in made.values()] == list(made)
    assert [recipe.warmup for recipe in made.values()] == [3, 0, 2, 1]
    assert [recipe.distill for recipe in made.values()] == [0, 0.25, 1, 1]
    assert [recipe.ema for recipe in made.values()] == [0.9, 0, 0.9, 0.9]
    assert [recipe.keep for recipe in made.values()] == ["best", "last", "best", "best"]
    assert [recipe.reestimate for recipe in made.values()] == [False, False, True, True]
    assert [recipe.validate for recipe in made.values()] == [True, False, True, True]


def test_phases_without_epochs_have_no_recipe() -> None:
    made = recipes(run_file(train={"compare_epochs": 0}, search={"method": "uniform"}))
    assert list(made) == ["float", "finetune"]


def test_a_warm_up_as_long_as_the_search_is_refused() -> None:
    message = r"search_warmup must be less than \[search\] epochs = 1, got 1"
    with pytest.raises(ConfigError, match=message):
        recipes(run_file(train={"search_warmup": 1}))
