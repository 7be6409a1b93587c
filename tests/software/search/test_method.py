"""The hooks of a method, as the loop calls them."""

from pathlib import Path
from typing import final

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.policy import LayerBits
from bitfold.search.loop import Recipe, train
from bitfold.search.method import Method
from bitfold.search.progress import Silent

from .nets import data, net


@final
class Recording(Method):
    """Penalises the dense weights, and remembers its calls."""

    def __init__(self, strength: float) -> None:
        self.strength = strength
        self.calls: list[tuple[str, int]] = []

    def prepare(self, model: nn.Module) -> None:
        raise AssertionError("the loop does not prepare")

    def penalty(self, model: nn.Module) -> Tensor:
        return self.strength * model.get_submodule("dense").get_parameter("weight").square().sum()

    def after_step(self, model: nn.Module, step: int) -> None:
        self.calls.append(("step", step))

    def after_epoch(self, model: nn.Module, epoch: int) -> None:
        self.calls.append(("epoch", epoch))

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        return {}


def trained(strength: float, path: Path) -> tuple[Recording, float]:
    model, method = net(), Recording(strength)
    recipe = Recipe(
        phase="search",
        epochs=2,
        lr=0.05,
        batch=32,
        seed=0,
        momentum=0.9,
        weight_decay=0,
        label_smoothing=0.0,
        augment="none",
    )
    train(
        model,
        data(),
        recipe,
        method=method,
        fabric=Fabric(accelerator="cpu", devices=1),
        path=path,
        identity="x",
        progress=Silent(),
    )
    with torch.no_grad():
        return method, method.penalty(model).item() / strength


def test_hooks_come_after_every_step_and_epoch(tmp_path: Path) -> None:
    method, _ = trained(1e-9, tmp_path / "a.pt")
    steps = [("step", i) for i in range(6)]
    assert method.calls == [*steps[:3], ("epoch", 0), *steps[3:], ("epoch", 1)]


def test_the_penalty_enters_the_gradient(tmp_path: Path) -> None:
    _, free = trained(1e-9, tmp_path / "a.pt")
    _, penalised = trained(1.0, tmp_path / "b.pt")
    assert penalised < free / 4


def test_a_method_must_say_how_it_prepares_and_what_it_finds() -> None:
    with pytest.raises(TypeError, match="policy"):
        Method()  # type: ignore[abstract]
