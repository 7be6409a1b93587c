"""Whole runs with BSQ: from the run file to the exported network."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.runfile import SearchBsq, parse_run
from bitfold.search import search

from ..nets import run_file, weights


def bsq(**settings: Any) -> dict[str, Any]:
    return {"method": "bsq", "epochs": 3, "interval": 2, "bits": [2, 3, 4, 5, 6, 7, 8], **settings}


@pytest.mark.parametrize(
    ("settings", "budget"),
    [
        ({"first_last": 8}, {"kind": "size"}),
        ({"reweigh": "budget"}, {"kind": "luts", "like_uniform": 4}),
        ({"alpha": 0.05, "a_bits": 4}, {"kind": "bitops", "like_uniform": 4}),
    ],
    ids=["fixed-ends", "luts", "given-alpha"],
)
def test_a_whole_run_keeps_its_budget(
    tmp_path: Path, settings: dict[str, Any], budget: dict[str, Any]
) -> None:
    """What is exported computes what torch does, or `search` would raise."""
    result = search(run_file(search=bsq(**settings), budget=budget), tmp_path)
    found = result.metrics["budget"]
    assert 0.98 * found["wanted"] <= found["reached"] <= found["wanted"]
    rows = result.metrics["findings"]["layers"]
    assert set(rows) == set(result.policy.layers) - (
        {"conv1", "dense"} if "first_last" in settings else set()
    )
    assert [each["epoch"] for each in result.metrics["findings"]["requantised"]] == [1, 2]


def test_a_run_that_is_finished_is_taken_up_whole(tmp_path: Path) -> None:
    run = run_file(search=bsq())
    first = search(run, tmp_path)
    before = weights(tmp_path, "search")
    again = search(run, tmp_path)
    assert again.policy.layers == first.policy.layers
    assert again.metrics["findings"] == first.metrics["findings"]
    after = weights(tmp_path, "search")
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_defaults_steer_from_eight_stored_bits() -> None:
    settings = SearchBsq(method="bsq")
    assert (settings.alpha, settings.bits[-1], settings.reweigh) == ("steer", 8, "memory")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"interval": 0}, r"interval should be greater than or equal to 1, got 0"),
        ({"alpha": 0}, r"alpha .*got 0"),
        ({"alpha": "auto"}, r"alpha .*'steer'.*got 'auto'"),
        ({"reweigh": "size"}, r"reweigh .*got 'size'"),
        ({"strength": 1}, r"unknown key 'strength'"),
        ({"bits": [1, 2]}, r"bits should be greater than or equal to 2"),
    ],
)
def test_mistakes_in_the_run_file_are_explained(keys: dict[str, Any], message: str) -> None:
    """An interval of 0 left the authors' script with an undefined name."""
    value = {
        "data": {"name": "digits"},
        "model": {"name": "convnet"},
        "search": {"method": "bsq", **keys},
        "budget": {"kind": "size", "like_uniform": 3},
    }
    with pytest.raises(ConfigError, match=message):
        parse_run(value)
