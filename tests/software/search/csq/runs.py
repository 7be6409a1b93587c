"""A small CSQ phase on the blobs, which the tests share."""

import copy
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.quant import trace
from bitfold.runfile import SearchCsq
from bitfold.search.csq import CSQ
from bitfold.search.hooks import Hooks
from bitfold.search.loop import train
from bitfold.search.problem import Problem, pose
from bitfold.search.progress import Silent
from bitfold.search.recipe import Recipe

from ..nets import SHAPE, data, net

EPOCHS = 40  # of three steps
A_BITS = 4


def problem(kind: str = "size", width: int = 4, first_last: int | str = "search") -> Problem:
    return pose(
        trace(net(), SHAPE),
        kind=kind,
        value=None,
        like_uniform=width,
        bits=(2, 3, 4, 5, 6, 7, 8),
        first_last=first_last,
        target="ecp5",
        seed=0,
    )


def method(posed: Problem | None = None, **settings: Any) -> CSQ:
    return CSQ(posed or problem(), SearchCsq(method="csq", **settings), A_BITS)


def phase(
    hooks: Hooks,
    model: nn.Module,
    path: Path,
    *,
    epochs: int = EPOCHS,
    lr: float = 0.1,
    progress: Silent | None = None,
) -> None:
    recipe = Recipe(
        phase="search",
        epochs=epochs,
        lr=lr,
        batch=32,
        seed=0,
        momentum=0.9,
        weight_decay=5e-4,
        label_smoothing=0.1,
        augment="none",
        validate=False,
    )
    train(
        model,
        data(),
        recipe,
        hooks=hooks,
        fabric=Fabric(accelerator="cpu", devices=1),
        path=path,
        identity="x",
        progress=progress or Silent(),
    )


def prepared(
    pretrained: nn.Module, posed: Problem | None = None, **settings: Any
) -> tuple[CSQ, nn.Module]:
    """The method, and a copy of the pretrained network made ready for its phase."""
    made, model = method(posed, **settings), copy.deepcopy(pretrained)
    made.prepare(model)
    return made, model


def twin(pretrained: nn.Module, searched: tuple[CSQ, nn.Module]) -> tuple[CSQ, nn.Module]:
    """The same state in objects of its own. (A deep copy would share the parametrised classes.)"""
    made, model = prepared(pretrained)
    model.load_state_dict(searched[1].state_dict())
    for act in made.acts.quantisers.values():
        assert act.started.all()
    return made, model


def harden(made: CSQ) -> None:
    """Make a step of every gate."""
    for layer in made.layers:
        layer.gates.temperature.fill_(1e30)


@torch.no_grad()
def logits(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs of `model` in evaluation mode. x (N, C, H, W) -> (N, classes)."""
    model.eval()
    result: Tensor = model(x)
    return result
