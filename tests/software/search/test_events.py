"""What TensorBoard would show."""

import subprocess
import sys
from pathlib import Path

import pytest
from lightning_fabric import Fabric
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from bitfold.search.hooks import Hooks
from bitfold.search.loop import train
from bitfold.search.recipe import Recipe

from .nets import data, net
from .test_loop import Recorder, recipe


class Shown(Hooks):
    def scalars(self, model: nn.Module) -> dict[str, float]:
        return {"bias": model.get_submodule("dense").get_parameter("bias")[0].item()}


def run(folder: Path, settings: Recipe, stop: int | None = None) -> nn.Module:
    model = net()
    train(
        model,
        data(),
        settings,
        hooks=Shown(),
        fabric=Fabric(accelerator="cpu", devices=1),
        path=folder / "a.pt",
        identity="x",
        progress=Recorder(stop),
        events=folder / "events",
    )
    return model


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    """Tag -> step -> value; a step that was written twice is an error."""
    events = EventAccumulator(str(folder / "events"))
    events.Reload()
    found = {}
    for tag in events.Tags()["scalars"]:
        values = [(event.step, event.value) for event in events.Scalars(tag)]
        assert len(values) == len(dict(values)), tag
        found[tag] = dict(values)
    return found


def test_steps_and_epochs_and_what_the_hooks_show_are_logged(tmp_path: Path) -> None:
    model = run(tmp_path, recipe(epochs=2))
    shown = scalars(tmp_path)
    assert set(shown) == {
        *(f"step/{name}" for name in ("loss", "accuracy", "lr")),
        *(f"epoch/{name}" for name in ("loss", "accuracy", "validation")),
        "method/bias",
    }
    assert list(shown["step/loss"]) == list(range(6))
    assert shown["step/lr"][0] == pytest.approx(0.1)
    assert list(shown["epoch/validation"]) == [2, 5]
    assert shown["method/bias"][5] == Shown().scalars(model)["bias"]


def test_a_resumed_phase_replaces_the_steps_that_it_redoes(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, recipe())
    with pytest.raises(KeyboardInterrupt):
        run(parts, recipe(), stop=8)
    run(parts, recipe())
    run(parts, recipe())  # finished: adds nothing
    assert scalars(parts) == scalars(whole)


def test_tensorboard_is_imported_only_where_it_is_used() -> None:
    code = "import sys, bitfold.search.run; sys.exit('tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
