"""A whole run of DQMQ: its files, and what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from bitfold.data import Split
from bitfold.export import run_policy, run_qonnx
from bitfold.files import digest, read_json
from bitfold.policy import BitPolicy
from bitfold.runfile import RunFile
from bitfold.search import SearchResult, search
from bitfold.search.dqmq import write
from bitfold.search.dqmq.dynamic import DynamicNet
from bitfold.search.evaluate import accuracy

from ..nets import run_file

QUALITIES = ["clean", "gaussian_blur:5"]


def run() -> RunFile:
    return run_file(
        data={"name": "digits", "qualities": QUALITIES},
        search={"method": "dqmq", "epochs": 3, "bits": [2, 3, 4], "policy_lr": 0.1, "modes": 3},
        train={"float_epochs": 2, "finetune_epochs": 1},
    )


@pytest.fixture(scope="module")
def measured() -> list[tuple[DynamicNet, Split]]:
    """What the run of `done` measured: the network in training's arithmetic, and the images."""
    return []


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, measured: list[tuple[DynamicNet, Split]]
) -> tuple[Path, SearchResult]:
    out, measure = tmp_path_factory.mktemp("dqmq"), write.measure

    def spy(network: DynamicNet, split: Split, *rest: Any) -> dict[str, Any]:
        measured.append((network, split))
        return measure(network, split, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "measure", spy)
        return out, search(run(), out)


def test_a_run_leaves_its_artefacts(done: tuple[Path, SearchResult]) -> None:
    out, _ = done
    files = {path.name for path in out.iterdir()}
    assert files == {
        "checkpoints", "metrics.json", "model.onnx", "modes", "modes.json", "policy.json",
        "policy.onnx", "test.npz",
    }  # fmt: skip
    value = read_json(out / "modes.json", "modes", 1)
    assert {path.name for path in (out / "modes").iterdir()} == {
        f"{mode}.onnx" for mode in range(len(value["modes"]))
    }
    for name, wanted in value["files"].items():
        assert digest(out / name) == wanted
    for mode in value["modes"]:
        assert digest(out / mode["file"]) == mode["sha256"]


def test_the_policy_holds_the_stored_precision(done: tuple[Path, SearchResult]) -> None:
    out, result = done
    value = read_json(out / "modes.json", "modes", 1)
    best = value["modes"][value["stored"]]["layers"]
    policy = BitPolicy.read(out / "policy.json").layers
    assert policy == result.policy.layers
    assert {n: {"w_bits": b.w_bits, "a_bits": b.a_bits} for n, b in policy.items()} == best
    for mode in value["modes"]:
        assert all(mode["layers"][name]["w_bits"] <= best[name]["w_bits"] for name in best)


def test_the_mean_cost_keeps_the_budget_and_is_what_metrics_say(
    done: tuple[Path, SearchResult],
) -> None:
    out, result = done
    value = read_json(out / "modes.json", "modes", 1)
    held, limit = value["use"]["validation"]["per_input"], value["budget"]["limit"]
    assert held["cost"] <= limit
    assert result.metrics["budget"]["reached"] == held["cost"]
    assert result.metrics["bitops"]["searched"] == held["bitops"]
    for splits in value["use"].values():
        for use in splits.values():
            bitops = [mode["bitops"] for mode in value["modes"]]
            assert use["bitops"] == pytest.approx(np.dot(use["share"], bitops))
            assert sum(use["share"]) == pytest.approx(1)
            by_quality = [use["by_quality"][name] for name in QUALITIES]
            for key in ("accuracy", "cost", "bitops"):
                assert use[key] == pytest.approx(np.mean([each[key] for each in by_quality]))


def test_the_files_alone_say_what_was_measured(
    done: tuple[Path, SearchResult], measured: list[tuple[DynamicNet, Split]]
) -> None:
    """policy.onnx picks the mode of every test image, modes/N.onnx classify.

    Logits are compared, not classes: integers are equal, so classes may tie, and the last bit of a
    float, which differs by machine, decides. The metrics are those of the classes then taken.
    """
    out, result = done
    value = read_json(out / "modes.json", "modes", 1)
    with np.load(out / "test.npz", allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    ((network, split),) = [each for each in measured if np.array_equal(each[1].x.numpy(), x)]
    _, modes = run_policy(onnx.load(out / "policy.onnx"), x)
    parts = (torch.from_numpy(each).split(write.CHUNK) for each in (x, modes))
    with torch.no_grad():
        wanted = torch.cat([network.grouped(*each) for each in zip(*parts, strict=True)]).numpy()
    for mode in np.unique(modes):
        model, rows = onnx.load(out / value["modes"][mode]["file"]), modes == mode
        np.testing.assert_allclose(run_qonnx(model, x[rows]), wanted[rows], rtol=0, atol=1e-5)
    share = float((wanted.argmax(1) == y).mean())
    assert share == pytest.approx(value["use"]["test"]["per_input"]["accuracy"])
    assert accuracy(network, split) == result.metrics["accuracy"]["searched"]["test"]
    shares = np.bincount(modes, minlength=len(value["modes"])) / len(modes)
    assert shares.tolist() == pytest.approx(value["use"]["test"]["per_input"]["share"])


def test_model_onnx_is_the_mode_of_the_stored_precision(done: tuple[Path, SearchResult]) -> None:
    out, _ = done
    value = read_json(out / "modes.json", "modes", 1)
    with np.load(out / "test.npz", allow_pickle=False) as file:
        x = file["x"][:100]
    first = run_qonnx(onnx.load(out / "model.onnx"), x)
    second = run_qonnx(onnx.load(out / value["modes"][value["stored"]]["file"]), x)
    np.testing.assert_array_equal(first, second)


def test_a_second_run_trains_nothing_and_gives_the_same_files(
    done: tuple[Path, SearchResult],
) -> None:
    out, _ = done
    names = ["model.onnx", "policy.onnx", "modes.json", "policy.json", "modes/0.onnx"]
    before = {name: digest(out / name) for name in names}
    search(run(), out)
    assert {name: digest(out / name) for name in names} == before
