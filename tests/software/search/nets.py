"""Small data and networks that the tests of the search share."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from bitfold.data import DataSet, Split
from bitfold.models import convnet
from bitfold.runfile import RunFile, parse_run

SHAPE = (1, 8, 8)


def net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return convnet(SHAPE, 10, (8, 8), (1, 2))


def data(count: int = 96) -> DataSet:
    """Ten classes, each a noisy blob at its own place."""
    generator = torch.Generator().manual_seed(0)

    def split(size: int) -> Split:
        y = torch.arange(size) % 10
        x = torch.rand(size, *SHAPE, generator=generator) * 0.3
        for i, label in enumerate(y.tolist()):
            x[i, 0, label // 5 * 4 : label // 5 * 4 + 3, label % 5 : label % 5 + 3] += 0.7
        return Split(x, y)

    return DataSet(
        name="blobs", classes=10, train=split(count), validation=split(40), test=split(40)
    )


def run_file(**sections: dict[str, Any]) -> RunFile:
    """A run on the digits that takes about two seconds; keys may be replaced by section."""
    value: dict[str, dict[str, Any]] = {
        "data": {"name": "digits"},
        "model": {"name": "convnet", "channels": [8, 8], "pools": [1, 2]},
        "train": {
            "float_epochs": 2,
            "finetune_epochs": 2,
            "compare_epochs": 0,
            "batch": 128,
            "threads": 1,
        },
        "search": {"method": "limpq", "epochs": 1, "bits": [2, 3, 4], "first_last": "search"},
        "budget": {"kind": "bitops", "like_uniform": 3},
    }
    for name, keys in sections.items():
        other = keys.get("name", "convnet") != "convnet"  # another network shares no keys
        value[name] = keys if other else {**value.get(name, {}), **keys}
        if value[name].get("method") in ("uniform", "random", "greedy"):
            value[name].pop("epochs", None)
    return parse_run(value)


def weights(folder: Path, phase: str = "finetune") -> dict[str, torch.Tensor]:
    model: dict[str, torch.Tensor] = torch.load(
        folder / "checkpoints" / f"{phase}.pt", weights_only=True
    )["model"]
    return model
