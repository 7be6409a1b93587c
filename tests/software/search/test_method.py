"""The hooks of a method, as the loop calls them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.policy import LayerBits
from bitfold.search.hooks import Group, Hooks
from bitfold.search.loop import train
from bitfold.search.method import Method
from bitfold.search.progress import Silent
from bitfold.search.recipe import Recipe

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

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        self.calls += [("steps", steps), ("epochs", epochs)]

    def before_step(self, model: nn.Module, step: int) -> None:
        self.calls.append(("before", step))

    def after_epoch(self, model: nn.Module, epoch: int) -> tuple[nn.Parameter, ...]:
        self.calls.append(("epoch", epoch))
        return ()

    def state(self) -> dict[str, Any]:
        return {"seen": len(self.calls)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.calls.append(("restored", state["seen"]))

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        return {}


def phase(hooks: Hooks, path: Path, epochs: int = 2, model: nn.Module | None = None) -> None:
    recipe = Recipe(
        phase="search",
        epochs=epochs,
        lr=0.05,
        batch=32,
        seed=0,
        momentum=0.9,
        weight_decay=0,
        label_smoothing=0.0,
        augment="none",
    )
    train(
        model or net(),
        data(),
        recipe,
        hooks=hooks,
        fabric=Fabric(accelerator="cpu", devices=1),
        path=path,
        identity="x",
        progress=Silent(),
    )


def trained(strength: float, path: Path) -> tuple[Recording, float]:
    model, method = net(), Recording(strength)
    phase(method, path, model=model)
    with torch.no_grad():
        return method, method.penalty(model).item() / strength


def test_hooks_come_around_every_step_and_after_every_epoch(tmp_path: Path) -> None:
    method, _ = trained(1e-9, tmp_path / "a.pt")
    steps = [(kind, i) for i in range(6) for kind in ("before", "step")]
    begun = [("steps", 6), ("epochs", 2)]
    assert method.calls == [*begun, *steps[:6], ("epoch", 0), *steps[6:], ("epoch", 1)]


def test_a_phase_that_goes_on_starts_again_and_restores_its_state(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    phase(Recording(0.0), path, epochs=1)
    method = Recording(0.0)
    phase(method, path)
    steps = [(kind, i) for i in range(3, 6) for kind in ("before", "step")]
    restored = ("restored", 2 + 6 + 1)
    assert method.calls == [("steps", 6), ("epochs", 2), restored, *steps, ("epoch", 1)]


@final
class Renewing(Hooks):
    """Trains the dense weights alone, and may drop their momentum after the first epoch."""

    def __init__(self, renew: bool) -> None:
        self.renew = renew

    def groups(self, model: nn.Module, weight_decay: float) -> tuple[Group, ...]:
        weight = model.get_submodule("dense").get_parameter("weight")
        assert isinstance(weight, nn.Parameter)
        return (Group(parameters=[weight], weight_decay=0.0, lr_scale=0.5),)

    def after_epoch(self, model: nn.Module, epoch: int) -> tuple[nn.Parameter, ...]:
        weight = model.get_submodule("dense").get_parameter("weight")
        assert isinstance(weight, nn.Parameter)
        return (weight,) if self.renew and epoch == 0 else ()


def test_only_the_groups_are_trained_each_at_its_share_of_the_rate(tmp_path: Path) -> None:
    before, after = net(), net()
    phase(Renewing(False), tmp_path / "a.pt", model=after)
    for name, value in before.named_parameters():
        assert torch.equal(value, after.get_parameter(name)) == (name != "dense.weight")
    saved = torch.load(tmp_path / "a.pt", weights_only=True)
    (group,) = saved["optimiser"]["param_groups"]
    assert 0 < group["lr"] <= 0.025


def test_renewed_parameters_lose_their_momentum(tmp_path: Path) -> None:
    first = [tmp_path / "kept.pt", tmp_path / "renewed.pt"]
    for path, renew in zip(first, (False, True), strict=True):
        phase(Renewing(renew), path, epochs=1)
    kept, renewed = (torch.load(path, weights_only=True)["optimiser"]["state"] for path in first)
    assert kept[0]["momentum_buffer"].any()
    assert not renewed


def test_the_penalty_enters_the_gradient(tmp_path: Path) -> None:
    _, free = trained(1e-9, tmp_path / "a.pt")
    _, penalised = trained(1.0, tmp_path / "b.pt")
    assert penalised < free / 4


def test_a_method_must_say_how_it_prepares_and_what_it_finds() -> None:
    with pytest.raises(TypeError, match="policy"):
        Method()
