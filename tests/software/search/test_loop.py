"""The training loop: learning, resuming, and what stops it."""

import warnings
from pathlib import Path
from typing import cast

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from bitfold.errors import ArtefactError, ConfigError
from bitfold.search.batches import batches, epoch_seed, steps_of
from bitfold.search.checkpoint import read
from bitfold.search.evaluate import accuracy, reestimate_norms
from bitfold.search.hooks import Backward, Hooks, Pass
from bitfold.search.loop import Trained, train
from bitfold.search.progress import Silent
from bitfold.search.recipe import Recipe

from .nets import data, net


def recipe(**changes: object) -> Recipe:
    settings: dict[str, object] = {
        "phase": "float",
        "epochs": 4,
        "lr": 0.1,
        "batch": 32,
        "seed": 0,
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "label_smoothing": 0.1,
        "augment": "shift",
    }
    return Recipe(**{**settings, **changes})


class Recorder:
    """Remembers what it was told; stops the run after `stop` steps."""

    def __init__(self, stop: int | None = None) -> None:
        self.calls: list[object] = []
        self.stop = stop

    def start(self, phase: str, total: int) -> None:
        self.calls.append((phase, total))

    def advance(self, loss: float, accuracy: float) -> None:
        self.calls.append(loss)
        if self.stop is not None and len(self.calls) > self.stop:
            raise KeyboardInterrupt

    def done(self) -> None:
        self.calls.append("done")


def run(
    model: nn.Module,
    path: Path,
    settings: Recipe,
    progress: Recorder | Silent | None = None,
    *,
    hooks: Hooks | None = None,
    fabric: Fabric | None = None,
) -> Trained:
    return train(
        model,
        data(),
        settings,
        hooks=hooks or Hooks(),
        fabric=fabric or Fabric(accelerator="cpu", devices=1),
        path=path,
        identity="id",
        progress=progress or Silent(),
        teacher=net(seed=9),
    )


def test_training_learns_and_reports_every_step(tmp_path: Path) -> None:
    model, progress = net(), Recorder()
    trained = run(model, tmp_path / "a.pt", recipe(epochs=8, augment="none"), progress)
    assert progress.calls[0] == ("float", 8 * 3)
    assert progress.calls[-1] == "done"
    assert len(progress.calls) == 2 + 8 * 3
    assert [entry["epoch"] for entry in trained.history] == list(range(8))
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert accuracy(model, data().test) > 0.8


def test_an_interrupted_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole, parts = net(), net()
    run(whole, tmp_path / "whole.pt", recipe())
    with pytest.raises(KeyboardInterrupt):
        run(parts, tmp_path / "parts.pt", recipe(), Recorder(stop=8))
    again, progress = net(seed=5), Recorder()
    trained = run(again, tmp_path / "parts.pt", recipe(), progress)
    assert progress.calls[0] == ("float", 2 * 3)
    assert len(trained.history) == 4
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_finished_phase_is_not_trained_again(tmp_path: Path) -> None:
    first, second = net(), net(seed=3)
    before = run(first, tmp_path / "a.pt", recipe())
    progress = Recorder()
    after = run(second, tmp_path / "a.pt", recipe(), progress)
    assert progress.calls == [("float", 0), "done"]
    assert before.history == after.history
    assert all(torch.equal(v, second.state_dict()[n]) for n, v in first.state_dict().items())


def test_a_loss_that_is_not_finite_stops_with_step_and_rate(tmp_path: Path) -> None:
    path, model = tmp_path / "a.pt", net()
    run(model, path, recipe(epochs=1))
    content = path.read_bytes()
    with torch.no_grad():
        model.get_submodule("dense").get_parameter("weight").fill_(float("nan"))
    with pytest.raises(ConfigError, match=r"became nan in phase 'float' at step 0 of 12, learning"):
        run(model, tmp_path / "b.pt", recipe())
    assert not (tmp_path / "b.pt").exists()
    assert path.read_bytes() == content


def test_a_rate_that_is_too_high_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(ConfigError, match="Lower this phase's learning rate"):
        run(net(), path, recipe(lr=1e18, epochs=50))
    if path.exists():
        found = read(path, "id", "float")
        assert found is not None
        assert all(torch.isfinite(v).all() for v in found.model.values())


def test_gradients_that_are_not_finite_stop_with_step_and_rate(tmp_path: Path) -> None:
    class Broken(Hooks):
        """Backward of a finite loss overflows at the fifth step."""

        def gradients(
            self, model: nn.Module, step: int, one_pass: Pass, backward: Backward
        ) -> float:
            loss = one_pass()
            backward(loss * 1e38 * 1e38 if step == 4 else loss)
            return loss.item()

    path = tmp_path / "a.pt"
    message = r"norm of the gradients became nan in phase 'float' at step 4 of 12, learning rate"
    with pytest.raises(ConfigError, match=message + r".*checkpoint of the epoch before is kept"):
        run(net(), path, recipe(), hooks=Broken())
    found = read(path, "id", "float")
    assert found is not None
    assert found.epoch == 1


def test_weights_that_are_not_finite_never_reach_a_checkpoint(tmp_path: Path) -> None:
    class Overflowing(Hooks):
        """Loses a weight that no image needs."""

        def after_step(self, model: nn.Module, step: int) -> None:
            if step == 5:
                model.get_submodule("unused").get_parameter("weight").data.fill_(float("inf"))

    path, model = tmp_path / "a.pt", net()
    nothing = nn.Linear(1, 1)
    nothing.forward = lambda x: x
    model.add_module("unused", nothing)
    message = r"'unused\.weight' holds values that are not finite in phase 'float' at step 5 of 12"
    with pytest.raises(ConfigError, match=message):
        run(model, path, recipe(), hooks=Overflowing())
    found = read(path, "id", "float")
    assert found is not None
    assert found.epoch == 1


def test_clipping_bounds_the_norm_of_all_gradients_and_keeps_their_direction(
    tmp_path: Path,
) -> None:
    moved = {}
    for limit in (0.0, 1e-3):
        before, after = net(), net()
        settings = recipe(
            batch=96, epochs=1, lr=1.0, momentum=0, weight_decay=0, clip_norm=limit, augment="none"
        )
        run(after, tmp_path / f"{limit}.pt", settings)
        pairs = zip(before.parameters(), after.parameters(), strict=True)
        moved[limit] = torch.cat([(a - b).detach().flatten() for a, b in pairs])
    free, clipped = moved.values()
    assert clipped.norm().item() == pytest.approx(1e-3, rel=1e-3)
    assert free.norm() > 0.1
    assert torch.cosine_similarity(free, clipped, dim=0) > 0.9999


def test_a_phase_ends_with_the_averaged_weights_that_it_validated(tmp_path: Path) -> None:
    model = net()
    trained = run(model, tmp_path / "a.pt", recipe(ema=0.9, reestimate=True))
    found = read(tmp_path / "a.pt", "id", "float")
    assert found is not None
    assert accuracy(model, data().validation) == trained.history[-1]["validation"]
    for name, value in found.ema["average"].items():
        if "running" not in name:  # those were estimated anew
            assert torch.equal(value, model.state_dict()[name]), name
    assert not torch.equal(found.model["dense.weight"], model.state_dict()["dense.weight"])


def test_a_phase_ends_with_its_best_epoch(tmp_path: Path) -> None:
    model = net()
    trained = run(model, tmp_path / "a.pt", recipe(keep="best", lr=0.3, epochs=8))
    validation = [entry["validation"] for entry in trained.history]
    assert validation[-1] < max(validation), "choose another rate: the last epoch is the best one"
    assert accuracy(model, data().validation) == max(validation)


EVERYTHING: dict[str, object] = {
    "ema": 0.8,
    "keep": "best",
    "reestimate": True,
    "distill": 0.5,
    "temperature": 2.0,
    "clip_norm": 0.5,
    "warmup": 1,
    "schedule": "step",
    "milestones": (0.5,),
}


@pytest.mark.parametrize("stop", [5, 8, 11])
def test_an_interrupted_run_with_everything_on_resumes_to_the_same_model(
    tmp_path: Path, stop: int
) -> None:
    whole, parts, again = net(), net(), net(seed=5)
    settings = recipe(**EVERYTHING)
    wanted = run(whole, tmp_path / "whole.pt", settings)
    with pytest.raises(KeyboardInterrupt):
        run(parts, tmp_path / "parts.pt", settings, Recorder(stop=stop))
    came = run(again, tmp_path / "parts.pt", settings)
    assert came.history == wanted.history
    assert all(torch.equal(v, again.state_dict()[n]) for n, v in whole.state_dict().items())
    finished = net(seed=7)
    run(finished, tmp_path / "parts.pt", settings)
    assert all(torch.equal(v, finished.state_dict()[n]) for n, v in whole.state_dict().items())


def test_bfloat16_passes_train_float32_weights(tmp_path: Path) -> None:
    model, seen = net(), []
    model.get_submodule("conv2").register_forward_hook(lambda m, x, out: seen.append(out.dtype))
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    settings = recipe(epochs=8, augment="none", validate=False)
    trained = run(model, tmp_path / "a.pt", settings, fabric=fabric)
    plain = run(net(), tmp_path / "b.pt", settings)
    assert set(seen) == {torch.bfloat16}
    assert all(p.dtype == torch.float32 for p in model.parameters())
    assert trained.history[0]["loss"] != plain.history[0]["loss"]
    assert trained.history[-1]["loss"] == pytest.approx(plain.history[-1]["loss"], rel=0.1)
    assert accuracy(model, data().test) > 0.8


def test_a_compiled_network_trains_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the compiler that runs the graphs it captures as they are; the default one is slow."""
    compiled: list[nn.Module] = []
    compiler = torch.compile

    def fast(model: nn.Module) -> nn.Module:
        compiled.append(model)
        return cast(nn.Module, compiler(model, backend="eager"))

    monkeypatch.setattr(torch, "compile", fast)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch uses what it deprecates itself
        run(model := net(), tmp_path / "a.pt", recipe(epochs=2, compile=True))
    assert compiled == [model]
    run(plain := net(), tmp_path / "b.pt", recipe(epochs=2))
    assert all(torch.equal(v, model.state_dict()[n]) for n, v in plain.state_dict().items())


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    run(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), tmp_path / "a.pt", recipe(epochs=1))
    with pytest.raises(ArtefactError, match=r"a\.pt is of another network than this run's"):
        run(net(), tmp_path / "a.pt", recipe(epochs=1))


def test_batches_are_equal_shuffled_and_decided_by_the_seed() -> None:
    split = data().train
    first = list(batches(split, 32, "none", 1))
    assert [len(y) for _, y in first] == [32] * 3 == [32] * steps_of(split, 32)
    assert [len(y) for _, y in batches(split, 40, "none", 1)] == [40, 40]
    assert [len(y) for _, y in batches(split, 500, "none", 1)] == [96]
    again, other = list(batches(split, 32, "none", 1)), list(batches(split, 32, "none", 2))
    assert torch.equal(first[1][0], again[1][0])
    assert not torch.equal(first[1][0], other[1][0])


def test_epochs_and_phases_draw_differently() -> None:
    seeds = {epoch_seed(s, p, e) for s in (0, 1) for p in ("a", "b") for e in (0, 1)}
    assert len(seeds) == 8


def test_reestimated_norms_hold_the_mean_over_batches() -> None:
    norm = nn.BatchNorm2d(1)
    x = torch.randn(512, 1, 4, 4) * 3 + 2
    norm.eval()
    reestimate_norms(norm, x)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.running_mean.item() == pytest.approx(x.mean().item(), abs=1e-5)
    wanted = (x[:256].var() + x[256:].var()) / 2
    assert norm.running_var.item() == pytest.approx(wanted.item(), rel=1e-4)
    assert norm.momentum == 0.1
    assert not norm.training
