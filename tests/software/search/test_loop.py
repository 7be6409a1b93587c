"""The training loop: learning, resuming, and what stops it."""

from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from bitfold.errors import ArtefactError, ConfigError
from bitfold.search.batches import batches, epoch_seed, steps_of
from bitfold.search.checkpoint import read
from bitfold.search.evaluate import accuracy, reestimate_norms
from bitfold.search.hooks import Hooks
from bitfold.search.loop import Recipe, Trained, train
from bitfold.search.progress import Silent

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
    return Recipe(**{**settings, **changes})  # type: ignore[arg-type]


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
    model: nn.Module, path: Path, settings: Recipe, progress: Recorder | Silent | None = None
) -> Trained:
    return train(
        model,
        data(),
        settings,
        hooks=Hooks(),
        fabric=Fabric(accelerator="cpu", devices=1),
        path=path,
        identity="id",
        progress=progress or Silent(),
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


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    run(net(), path, recipe(epochs=1))
    with pytest.raises(ConfigError, match="other settings than this run file's"):
        read(path, "other", "float")
    with pytest.raises(ConfigError, match="other settings"):
        read(path, "id", "search")
    assert read(tmp_path / "none.pt", "id", "float") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a checkpoint"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"a\.pt: damaged checkpoint.*remove it"):
        read(path, "id", "float")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    run(net(), path, recipe(epochs=1))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ArtefactError, match="damaged checkpoint"):
        read(path, "id", "float")


def test_checkpoints_hold_no_code(tmp_path: Path) -> None:
    """A pickle that would run something on loading is refused."""

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    torch.save({"schema": 1, "identity": Hostile()}, tmp_path / "a.pt")
    with pytest.raises(ArtefactError, match="damaged"):
        read(tmp_path / "a.pt", "id", "float")
    assert not (tmp_path / "ran").exists()


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
