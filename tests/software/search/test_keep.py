"""The epoch that a phase ends with."""

from typing import Literal

import pytest
import torch
from torch import nn

from bitfold.search.keep import Keeper, summary


@pytest.mark.parametrize(("how", "ends"), [("last", 4), ("best", 3)])
def test_the_last_or_the_latest_best_epoch_is_kept(
    how: Literal["last", "best"], ends: float
) -> None:
    model = nn.Linear(1, 1)
    keeper = Keeper(how, always=False)
    for value, accuracy in enumerate((0.5, 0.9, 0.7, 0.9, 0.8)):
        nn.init.constant_(model.weight, value)
        keeper.note(model, accuracy)
        restored = Keeper(how, always=False)
        restored.restore(keeper.state())
        keeper = restored
    keeper.finish(model)
    assert model.weight.item() == ends
    assert bool(keeper.model) == (how == "best")


def test_a_phase_that_is_not_validated_keeps_its_last_model() -> None:
    model, keeper = nn.Linear(1, 1), Keeper("best", always=True)
    for value in range(3):
        nn.init.constant_(model.weight, value)
        keeper.note(model, None)
    nn.init.constant_(model.weight, -1.0)
    keeper.finish(model)
    assert torch.equal(model.weight, torch.full((1, 1), 2.0))


def test_both_accuracies_are_reported() -> None:
    history = [{"epoch": i, "validation": v} for i, v in enumerate((0.5, 0.9, 0.7, 0.9, 0.8))]
    assert summary(history, "best") == {
        "kept": "best",
        "last": {"epoch": 4, "validation": 0.8},
        "best": {"epoch": 3, "validation": 0.9},
    }
    assert summary([{"epoch": 0, "loss": 1.0}], "last") is None
