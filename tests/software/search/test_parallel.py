"""Several processes train what one process trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.quant import processes
from bitfold.search import search
from bitfold.search.parallel import average_gradients, check_batch, slice_of

from .launched import CASES, RUN, trained
from .nets import run_file

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left."""
    folder = tmp_path_factory.mktemp("two")
    script = ROOT / "tests" / "software" / "search" / "launched.py"
    # By name: a container's own may lead nowhere.
    one = ["--standalone", "--local-addr=localhost", "--nproc-per-node=2"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *one, str(script), str(folder)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one_does_at_every_step(
    launched: Path, tmp_path: Path, case: str
) -> None:
    """Sums over a batch are taken in another order; nothing else may differ.

    In float64 that is rounding of 1e-16, which no quantiser's border comes near. In float32 it is
    1e-7, which training amplifies.
    """
    model, alone = trained(case, tmp_path)
    together = json.loads((launched / f"{case}.json").read_text())
    assert len(together["steps"]) == 9
    tolerance = 1e-4 if case == "float32" else 1e-11
    torch.testing.assert_close(
        torch.tensor(together["steps"], dtype=torch.float64),
        torch.tensor(alone["steps"], dtype=torch.float64),
        rtol=tolerance,
        atol=0,
    )
    # Logits of the quantised network are whole numbers times one step; the largest two may tie.
    ties = 1 / 40 if case == "quantised" else 0
    assert together["validation"] == pytest.approx(alone["validation"], rel=0, abs=ties + 1e-9)
    state = torch.load(launched / f"{case}_model.pt", weights_only=True)
    assert state.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=10 * tolerance, atol=tolerance)


def test_the_whole_search_runs_and_one_process_writes(launched: Path, tmp_path: Path) -> None:
    both = [json.loads((launched / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    assert [each["rank"] for each in both] == [0, 1]
    assert both[0]["metrics"] == both[1]["metrics"]
    names = ["checkpoints", "metrics.json", "model.onnx", "policy.json", "test.npz"]
    assert sorted(path.name for path in (launched / "run").iterdir()) == names
    alone = search(run_file(**RUN), tmp_path).metrics
    first = [m["history"]["float"][0]["loss"] for m in (alone, both[0]["metrics"])]
    assert first[0] == pytest.approx(first[1], rel=1e-4)
    budget = both[0]["metrics"]["budget"]
    assert budget["reached"] <= budget["wanted"]


def test_processes_whose_weights_drift_apart_stop_and_name_the_tensor(launched: Path) -> None:
    for rank in (0, 1):
        said = (launched / f"drift{rank}.txt").read_text()
        assert said.startswith("phase 'search', epoch 1 of 3: the processes hold different values")
        assert "'conv2.weight'" in said
    assert not (launched / "drift.pt").exists()


def test_a_batch_without_equal_slices_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "count", lambda: 3)
    monkeypatch.setattr(processes, "rank", lambda: 2)
    check_batch(66)
    with pytest.raises(ConfigError, match="64 images cannot be cut into 3 equal slices"):
        check_batch(64)
    assert slice_of(torch.arange(9)).tolist() == [6, 7, 8]


def test_gradients_that_nobody_has_stay_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process has a gradient for the second parameter, and none for the first."""
    mine, both, nobodys = (torch.nn.Parameter(torch.zeros(2)) for _ in range(3))
    mine.grad, both.grad = torch.tensor([2.0, 4.0]), torch.tensor([1.0, 1.0])
    other = torch.tensor([0.0, 0.0, 3.0, 5.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    monkeypatch.setattr(processes, "count", lambda: 2)
    monkeypatch.setattr(processes, "total", lambda x: x + other)
    average_gradients([mine, both, nobodys])
    assert mine.grad.tolist() == [1.0, 2.0]
    assert both.grad.tolist() == [2.0, 3.0]
    assert nobodys.grad is None
