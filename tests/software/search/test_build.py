"""The networks that a run file names, and the weights that it starts from."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bitfold.data import DataSet, Split
from bitfold.errors import ConfigError
from bitfold.models import mlp
from bitfold.quant import trace
from bitfold.runfile import CHOICES, parse_run
from bitfold.search import search
from bitfold.search.build import build
from bitfold.search.run import identity

from .nets import run_file

SECTIONS: dict[str, dict[str, Any]] = {
    "convnet": {"channels": [8, 8], "pools": [1]},
    "mlp": {"hidden": [8]},
    "resnet8": {"width": 4},
    "resnet20": {"width": 2, "option": "B"},
    "resnet32": {"width": 2},
    "resnet44": {"width": 2},
    "resnet56": {"width": 2},
    "resnet18": {"width": 4},
    "resnet50": {"width": 2},
    "vgg19": {"width": 0.02},
    "mobilenet_v1": {"width": 0.1},
    "mobilenet_v2": {"width": 0.1},
}
DEPTH = {
    "convnet": 3,
    "mlp": 2,
    "resnet8": 8,
    "resnet20": 22,
    "resnet32": 32,
    "resnet44": 44,
    "resnet56": 56,
    "resnet18": 21,
    "resnet50": 54,
    "vgg19": 17,
    "mobilenet_v1": 28,
    "mobilenet_v2": 53,
}


def images(side: int) -> DataSet:
    split = Split(torch.zeros(2, 3, side, side), torch.zeros(2, dtype=torch.int64))
    return DataSet(name="none", classes=7, train=split, validation=split, test=split)


def run_of(name: str, **train: Any) -> Any:
    return parse_run(
        {
            "data": {"name": "digits"},
            "model": {"name": name, **SECTIONS[name]},
            "train": train,
            "search": {"method": "uniform"},
            "budget": {"kind": "size", "like_uniform": 3},
        }
    )


def test_every_network_of_the_run_file_is_tried_here() -> None:
    assert set(SECTIONS) == set(DEPTH) == set(CHOICES["model"][1])


@pytest.mark.parametrize("name", SECTIONS)
def test_a_run_file_names_every_network(name: str) -> None:
    data = images(32)
    model = build(run_of(name).model, data, 0)
    assert len(trace(model, data.shape)) == DEPTH[name]
    assert model.eval()(data.test.x).shape == (2, 7)
    again = build(run_of(name).model, data, 0)
    for first, second in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(first, second)


def test_a_run_may_start_from_weights_and_skip_pretraining(tmp_path: Path) -> None:
    plain = mlp((1, 8, 8), 10, (8,))
    torch.save(plain.state_dict(), tmp_path / "w.pt")
    run = run_file(
        model={"name": "mlp", "hidden": [8], "weights": str(tmp_path / "w.pt")},
        train={"float_epochs": 0, "finetune_epochs": 1},
        search={"method": "uniform"},
    )
    result = search(run, tmp_path / "out")
    assert list(result.metrics["history"]) == ["finetune"]
    assert "weights" not in result.metrics["model"]
    assert not (tmp_path / "out/checkpoints/float.pt").exists()
    first = identity(run)
    other = {name: value + 1 for name, value in plain.state_dict().items()}
    torch.save(other, tmp_path / "w.pt")
    assert identity(run) != first
    with pytest.raises(ConfigError, match="other settings than this run file's"):
        search(run, tmp_path / "out")
