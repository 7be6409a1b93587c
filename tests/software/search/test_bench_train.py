"""The script that compares steps of training."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from bitfold.runfile import CHOICES, TrainedSearch
from bitfold.search import METHODS

SCRIPT = Path(__file__).parents[3] / "scripts" / "bench_train"


def test_held_bytes_are_the_most_at_once_each_storage_once_without_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    held_bytes = import_module("held_bytes").held_bytes
    model, most = nn.Linear(8, 8, bias=False), []
    x = torch.rand(100, 8)
    with held_bytes(model, most):
        for _ in range(2):  # the first pass's bytes are free when the second begins
            z = model(x)
            y = z.exp()
            (y * y * y.sin()).sum().backward()
    # x for the weight; y, y * y and sin(y) for the products; the weight itself is lasting.
    assert most == [4 * x.nbytes]


@pytest.mark.slow
def test_every_method_has_a_row_of_ratios() -> None:
    sizes = ["--network", "convnet", "--width", "2", "--batch", "4", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *sizes], check=True, capture_output=True, text=True
    )
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[2:]}
    trained = {name for name in METHODS if issubclass(CHOICES["search"][1][name], TrainedSearch)}
    assert set(rows) == {"float", "brevitas", "lsq", *METHODS}
    for name in {"float", "brevitas", "lsq", *trained}:
        ratios = [float(cell) for cell in rows[name]]
        assert len(ratios) == 6
        assert all(ratio > 0 for ratio in ratios)
    assert rows["brevitas"][0] == rows["lsq"][1] == "1.00"
    assert float(rows["limpq"][0]) > float(rows["lsq"][0])  # six passes against one
    for name in set(METHODS) - trained:
        assert rows[name] == ["no", "search", "phase"]
