"""SDQ from the run file to the integer graph, and after a kill."""

from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.files import digest
from bitfold.ir.ops import Conv, Dense
from bitfold.runfile import RunFile
from bitfold.search import SearchResult, search

from ..nets import run_file, weights

WEIGHTS = 72 + 576 + 320


def run(**train: Any) -> RunFile:
    """One float epoch, then both phases, at a mean of 1.6 weight bits: some layers get one."""
    return run_file(
        train={"float_epochs": 1, "finetune_epochs": 4, "finetune_distill": 0.5, **train},
        search={
            "method": "sdq",
            "epochs": 6,
            "bits": [1, 2, 3, 4, 5, 6, 7, 8],
            "a_bits": 4,
            "ebr_warmup": 0.0,
        },
        budget={"kind": "size", "like_uniform": None, "value": 1.6 * WEIGHTS},
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SearchResult]:
    out = tmp_path_factory.mktemp("run")
    return out, search(run(), out)


def test_after_one_float_epoch_the_bins_stay_finite(done: tuple[Path, SearchResult]) -> None:
    """Few weights a bin and small steps: the penalty must not throw them apart."""
    out, result = done
    losses = [entry["loss"] for entry in result.metrics["history"]["finetune"]]
    assert all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    assert all(value.isfinite().all() for value in weights(out).values())
    assert result.metrics["accuracy"]["searched"]["validation"] > 0.3


def test_mean_bits_and_model_size_agree(done: tuple[Path, SearchResult]) -> None:
    _, result = done
    size = result.metrics["size_bits"]
    mean = sum(layer["weights"] * layer["w_bits"] for layer in result.metrics["layers"]) / WEIGHTS
    assert size["searched"] == mean * WEIGHTS
    assert size["float"] / size["searched"] == pytest.approx(32 / mean)
    assert mean == pytest.approx(1.6, abs=0.1)
    trail = np.array(result.metrics["findings"]["bits_after_each_epoch"])
    assert trail.shape == (6, 3)
    assert (np.diff(trail, axis=0) <= 0).all()


def test_a_policy_with_one_bit_reaches_the_integer_graph_exactly(
    done: tuple[Path, SearchResult],
) -> None:
    out, result = done
    bits = [layer.w_bits for layer in result.policy.layers.values()]
    assert 1 in bits
    assert max(bits) > 1
    graph = run_pipeline(read_qonnx(out / "model.onnx"))
    layers = [node.op.weights for node in graph.nodes if isinstance(node.op, Conv | Dense)]
    assert [w.bits for w in layers] == bits
    assert [w.bipolar for w in layers] == [b == 1 for b in bits]
    with np.load(out / "test.npz") as test:
        found = compare(out / "model.onnx", graph, test["x"][:100])
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)


@final
class Stop(Exception):
    """The kill."""


@final
class Stopping:
    """Stops the run at the given step, counted over all phases."""

    def __init__(self, at: int) -> None:
        self.left = at

    def start(self, phase: str, total: int) -> None:
        pass

    def advance(self, loss: float, accuracy: float) -> None:
        self.left -= 1
        if not self.left:
            raise Stop

    def done(self) -> None:
        pass


@pytest.mark.parametrize("at", [9 + 9 * 3 + 4, 9 * 7 + 9 * 2 + 5], ids=["search", "finetune"])
def test_a_killed_run_goes_on_to_the_same_bits(
    done: tuple[Path, SearchResult], tmp_path: Path, at: int
) -> None:
    """Nine steps an epoch: one epoch of float, six of search, four of finetuning."""
    with pytest.raises(Stop):
        search(run(), tmp_path, Stopping(at))
    assert not (tmp_path / "metrics.json").exists()
    result = search(run(), tmp_path)
    for phase in ("search", "finetune"):
        wanted, came = weights(done[0], phase), weights(tmp_path, phase)
        assert wanted.keys() == came.keys()
        assert all(torch.equal(wanted[name], came[name]) for name in wanted)
    for name in ("policy.json", "model.onnx"):
        assert digest(done[0] / name) == digest(tmp_path / name)
    assert result.metrics["findings"] == done[1].metrics["findings"]
