"""A whole run of DQMQ: its files, and what they say."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from bitfold.export import run_policy, run_qonnx
from bitfold.files import digest, read_json
from bitfold.policy import BitPolicy
from bitfold.runfile import RunFile
from bitfold.search import SearchResult, search

from ..nets import run_file

QUALITIES = ["clean", "gaussian_blur:5"]


def run() -> RunFile:
    return run_file(
        data={"name": "digits", "qualities": QUALITIES},
        search={"method": "dqmq", "epochs": 3, "bits": [2, 3, 4], "policy_lr": 0.1, "modes": 3},
        train={"float_epochs": 2, "finetune_epochs": 1},
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SearchResult]:
    out = tmp_path_factory.mktemp("dqmq")
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


def test_the_files_alone_score_what_metrics_say(done: tuple[Path, SearchResult]) -> None:
    """policy.onnx picks the mode of every test image, modes/N.onnx classify.

    Integers are equal, so classes may tie; the last bit of a float then decides, in training's
    arithmetic another than in the file's. Everywhere else the class is the same.
    """
    out, result = done
    value = read_json(out / "modes.json", "modes", 1)
    with np.load(out / "test.npz", allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    _, modes = run_policy(onnx.load(out / "policy.onnx"), x)
    logits = np.empty((len(y), 10))
    for mode in np.unique(modes):
        model = onnx.load(out / value["modes"][mode]["file"])
        logits[modes == mode] = run_qonnx(model, x[modes == mode])
    greatest = logits >= logits.max(1, keepdims=True) - 1e-5
    own = greatest[np.arange(len(y)), y]
    alone = own & (greatest.sum(1) == 1)
    assert alone.mean() > own.mean() - 0.05  # ties are few
    for share in (
        result.metrics["accuracy"]["searched"]["test"],
        value["use"]["test"]["per_input"]["accuracy"],
    ):
        assert alone.mean() - 1e-6 <= share <= own.mean() + 1e-6
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
