"""The whole search, small."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from bitfold.errors import BudgetError, ConfigError, DataError, MismatchError
from bitfold.export import run_qonnx
from bitfold.files import digest, read_json
from bitfold.policy import BitPolicy
from bitfold.runfile import CHOICES, RunFile
from bitfold.search import METHODS, SearchResult, search

from .nets import run_file, weights

FILES = ["checkpoints", "metrics.json", "model.onnx", "policy.json", "test.npz"]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SearchResult]:
    out = tmp_path_factory.mktemp("run")
    return out, search(run_file(train={"compare_epochs": 1}), out)


def test_a_run_leaves_its_artefacts(done: tuple[Path, SearchResult]) -> None:
    out, result = done
    assert sorted(path.name for path in out.iterdir()) == FILES
    phases = sorted(path.stem for path in (out / "checkpoints").iterdir())
    assert phases == ["finetune", "float", "search", "uniform8"]
    assert BitPolicy.read(out / "policy.json").layers == result.policy.layers
    assert list(result.policy.layers) == ["conv1", "conv2", "dense"]


def test_metrics_say_what_the_report_needs(done: tuple[Path, SearchResult]) -> None:
    out, result = done
    value = read_json(out / "metrics.json", "metrics", 1)
    assert value == json.loads(json.dumps(result.metrics))
    assert set(value["accuracy"]) == {"float", "searched", "uniform8"}
    for splits in value["accuracy"].values():
        assert set(splits) == {"validation", "test"}
        assert all(0 <= share <= 1 for share in splits.values())
    layers = value["layers"]
    assert value["bitops"]["searched"] == sum(layer["bitops"] for layer in layers)
    assert value["bitops"]["uniform8"] == sum(layer["macs"] * 64 for layer in layers)
    assert value["size_bits"]["float"] == sum(layer["weights"] * 32 for layer in layers)
    assert value["budget"]["reached"] <= value["budget"]["wanted"]
    assert value["budget"]["wanted"] == sum(layer["macs"] * 9 for layer in layers)
    phases = {"float", "search", "policy", "finetune", "uniform8", "export"}
    assert set(value["seconds"]) == phases
    assert [entry["epoch"] for entry in value["history"]["finetune"]] == [0, 1]
    assert set(value["epochs"]) == {"float", "finetune", "uniform8"}
    last = value["history"]["finetune"][-1]["validation"]
    assert value["epochs"]["finetune"]["last"] == {"epoch": 1, "validation": last}
    assert value["export"]["images"] == 360
    assert {"torch", "brevitas", "bitfold"} <= set(value["versions"])


def test_model_scores_what_metrics_say(done: tuple[Path, SearchResult]) -> None:
    out, result = done
    with np.load(out / "test.npz", allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    assert x.shape == (360, 1, 8, 8)
    logits = run_qonnx(onnx.load(out / "model.onnx"), x)
    share = float((logits.argmax(1) == y).mean())
    assert share == pytest.approx(result.metrics["accuracy"]["searched"]["test"])


def test_a_second_run_trains_nothing_and_gives_the_same_files(
    done: tuple[Path, SearchResult],
) -> None:
    out, _ = done
    before = {name: digest(out / name) for name in FILES[2:]}

    totals: list[int] = []

    class Counting:
        def start(self, phase: str, total: int) -> None:
            totals.append(total)

        def advance(self, loss: float, accuracy: float) -> None:
            raise AssertionError("trained again")

        def done(self) -> None:
            pass

    search(run_file(train={"compare_epochs": 1}), out, Counting())
    assert totals == [0, 0, 0, 0]
    assert {name: digest(out / name) for name in FILES[2:]} == before


def test_logging_for_tensorboard_changes_no_result(done: tuple[Path, SearchResult]) -> None:
    """The finished phases are those of this run file, too."""
    train = {"compare_epochs": 1, "tensorboard": True}
    assert search(run_file(train=train), done[0]).policy.layers == done[1].policy.layers
    assert sorted(path.name for path in done[0].iterdir()) == FILES


def test_another_run_file_does_not_reuse_the_folder(done: tuple[Path, SearchResult]) -> None:
    with pytest.raises(ConfigError, match="other settings than this run file's"):
        search(run_file(train={"compare_epochs": 1, "seed": 1}), done[0])


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from bitfold.search import search
from tests.software.search.nets import run_file

class Killer:
    steps = 0
    def start(self, phase, total): self.phase = phase
    def advance(self, loss, accuracy):
        self.steps += 1
        if self.steps == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
    def done(self): pass

search(run_file(train={train!r}), Path({out!r}), Killer())
"""
EVERYTHING = {
    "compare_epochs": 1,
    "finetune_epochs": 3,
    "schedule": "step",
    "milestones": [0.6],
    "finetune_warmup": 1,
    "clip_norm": 1.0,
    "ema": 0.9,
    "keep": "best",
    "search_distill": 1.0,
    "finetune_distill": 0.5,
    "distill_temperature": 2.0,
    "precision": "bf16",
}


def killed_run(out: Path, train: dict[str, Any], at: int) -> None:
    """Start a search in another process, and kill it -9 after so many steps."""
    root = str(Path(__file__).parents[3])
    code = KILLED.format(tests=root, at=at, out=str(out), train=train)
    killed = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (out / "metrics.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("at", [23, 35], ids=["search", "finetune"])
def test_a_killed_run_resumes_to_the_same_result(
    done: tuple[Path, SearchResult], tmp_path: Path, at: int
) -> None:
    """Nine steps an epoch: float 1-18, indicators 19-27, finetuning 28-45."""
    killed_run(tmp_path / "killed", {"compare_epochs": 1}, at)
    whole = done[0]
    search(run_file(train={"compare_epochs": 1}), tmp_path / "killed")
    wanted, came = weights(whole), weights(tmp_path / "killed")
    assert wanted.keys() == came.keys()
    assert all(torch.equal(wanted[name], came[name]) for name in wanted)
    for name in ("model.onnx", "policy.json"):
        assert digest(whole / name) == digest(tmp_path / "killed" / name)


@pytest.mark.slow
def test_a_killed_run_with_every_setting_on_resumes_to_the_same_result(tmp_path: Path) -> None:
    """Nine steps an epoch; killed in the last epoch of finetuning, 46-54."""
    run, whole, killed = run_file(train=EVERYTHING), tmp_path / "whole", tmp_path / "killed"
    wanted = search(run, whole).metrics
    killed_run(killed, EVERYTHING, 50)
    came = search(run, killed).metrics
    for key in ("accuracy", "epochs", "history", "layers"):
        assert came[key] == wanted[key]
    assert came["epochs"]["finetune"]["kept"] == "best"
    for name in ("model.onnx", "policy.json"):
        assert digest(whole / name) == digest(killed / name)
    for phase in ("float", "search", "finetune", "uniform8"):
        first, second = weights(whole, phase), weights(killed, phase)
        assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "run",
    [
        run_file(search={"method": "uniform"}, budget={"like_uniform": 4}),
        run_file(search={"first_last": 8, "tied": True}, budget={"kind": "size"}),
        run_file(model={"name": "mlp", "hidden": [16]}, budget={"kind": "cycles"}),
        run_file(budget={"kind": "luts"}, hardware={"target": "xc7"}),
        run_file(budget={"also": [{"kind": "size", "like_uniform": 2}]}),
        run_file(search={"method": "random"}, budget={"kind": "average_bits"}),
        run_file(search={"method": "greedy"}),
        run_file(search={"method": "reversed"}),
    ],
    ids=[
        "uniform",
        "first-last-8",
        "mlp-cycles",
        "luts",
        "bitops-and-size",
        "random",
        "greedy",
        "reversed",
    ],
)
def test_other_settings_run_through(tmp_path: Path, run: RunFile) -> None:
    result = search(run, tmp_path)
    budget = result.metrics["budget"]
    assert budget["reached"] <= budget["wanted"]
    assert [each["kind"] for each in budget["also"]] == [each.kind for each in run.budget.also]
    assert all(each["reached"] <= each["wanted"] for each in budget["also"])
    if run.search.method == "uniform":
        assert {bits.w_bits for bits in result.policy.layers.values()} == {4}
    if run.search.first_last == 8:
        assert result.policy.layers["conv1"].w_bits == 8
        assert result.policy.layers["dense"].a_bits == 8


def test_every_method_has_settings_and_the_other_way_round() -> None:
    assert set(METHODS) == set(CHOICES["search"][1])


def test_an_impossible_budget_stops_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="least possible"):
        search(run_file(budget={"like_uniform": None, "value": 10}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_data_set_stops_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="BITFOLD_DATA"):
        search(run_file(data={"name": "mnist"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mismatch_at_export_leaves_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(graph: object, x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 10), np.float32)

    monkeypatch.setattr("bitfold.export.check.run_qonnx", broken)
    with pytest.raises(MismatchError):
        search(run_file(search={"method": "uniform"}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints"]
    assert os.listdir(tmp_path / "checkpoints")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_nothing_left_to_search_is_said_so_and_nothing_trained(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitfold.search.run.train", None)
    run = run_file(model={"name": "mlp", "hidden": [8]}, search={"method": method, "first_last": 8})
    with pytest.raises(ConfigError, match=r"first_last = 8 fixes the bits of all 2 layers.*search"):
        search(run, tmp_path)


@pytest.mark.parametrize("method", ["bsq", "csq", "sdq"])
def test_activations_that_no_weights_make_up_for_are_refused_before_training(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitfold.search.run.train", None)
    run = run_file(
        search={"method": method, "a_bits": 8, "first_last": "search"},
        budget={"kind": "bitops", "like_uniform": 2},
    )
    with pytest.raises(BudgetError, match=r"least possible is"):
        search(run, tmp_path)
