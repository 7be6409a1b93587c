"""What the acceptance scripts share: digits, a network of 8,456 weights, and its training.

convnet 8-16-16-32, activations of 4 bits; every search starts from its float weights.
"""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from bitfold.data import load
from bitfold.models import convnet
from bitfold.policy import LayerBits
from bitfold.quant import quantise, trace
from bitfold.search.hooks import Hooks
from bitfold.search.loop import train
from bitfold.search.method import Method
from bitfold.search.problem import Problem, pose
from bitfold.search.progress import Progress, Silent
from bitfold.search.recipe import Recipe

DATA = load("digits", None)
A_BITS = 4
FLOAT = Recipe(
    phase="float",
    epochs=30,
    lr=0.1,
    batch=64,
    seed=0,
    momentum=0.9,
    weight_decay=5e-4,
    label_smoothing=0.1,
    augment="none",
    validate=False,
)


def phase(
    model: nn.Module,
    hooks: Hooks,
    progress: Progress | None = None,
    teacher: nn.Module | None = None,
    **changes: Any,
) -> None:
    """Train in place by FLOAT with `changes`, leaving no files."""
    with tempfile.TemporaryDirectory() as folder:
        train(
            model,
            DATA,
            dataclasses.replace(FLOAT, **changes),
            hooks=hooks,
            fabric=Fabric(accelerator="cpu", devices=1),
            path=Path(folder) / "phase.pt",
            identity="",
            progress=progress or Silent(),
            teacher=teacher,
        )


def pretrained(seed: int) -> nn.Module:
    """The float network."""
    torch.manual_seed(seed)
    model = convnet(DATA.shape, 10, (8, 16, 16, 32), (2, 3, 4))
    phase(model, Hooks(), seed=seed)
    return model


def posed(model: nn.Module, kind: str, like_uniform: int, seed: int) -> Problem:
    """The budget of a width everywhere, all layers searched."""
    return pose(
        trace(model, DATA.shape),
        kind=kind,
        value=None,
        like_uniform=like_uniform,
        bits=tuple(range(2, 9)),
        first_last="search",
        target="ecp5",
        seed=seed,
    )


def finetuned(
    method: Method, model: nn.Module, problem: Problem, policy: dict[str, LayerBits], **recipe: Any
) -> nn.Module:
    """The searched `model` trained further at `policy`, from where the method leaves it."""
    released = method.release(model)
    assert released is not None
    bits = {name: (each.w_bits, each.a_bits) for name, each in policy.items()}
    handles = quantise(released.model, problem.costs.layers, bits)
    for handle in handles:
        handle.weight.start_at(released.w_steps[handle.layer.name])
        handle.act.start_at(released.a_steps[handle.layer.name])
    hooks = method.finetuning(handles)
    phase(released.model, hooks, phase="finetune", reestimate=True, **recipe)
    return released.model
