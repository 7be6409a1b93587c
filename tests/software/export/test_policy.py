"""policy.onnx: what it holds, and that onnxruntime computes what torch does."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from bitfold.errors import MismatchError
from bitfold.export import policy_to_onnx, run_policy, write_onnx
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.dynamic import ModePolicy


def images(count: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).random((count, channels, 8, 8), dtype=np.float32)


def policy() -> ModePolicy:
    torch.manual_seed(0)
    decision = Decision(3, (2, 3, 4))
    with torch.no_grad():
        decision.last.weight.mul_(20)
    hot = torch.eye(3)[torch.tensor([[0, 1, 2], [1, 1, 1], [2, 0, 0]])].flatten(1).T.contiguous()
    return ModePolicy(decision, hot, torch.tensor([0.1, 0.0, 0.2]))


@pytest.mark.parametrize("channels", [1, 3])
def test_onnxruntime_gives_torchs_scores_and_modes_in_any_batch(channels: int) -> None:
    module, x = policy(), images(50, channels)
    graph = policy_to_onnx(module, x)
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()
    for count in (1, 7, 50):
        scores, modes = run_policy(graph, x[:count])
        np.testing.assert_allclose(scores, wanted[:count], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(modes, wanted[:count].argmax(1))
    assert {node.domain for node in graph.graph.node} == {""}


def test_files_are_the_same_for_the_same_policy(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_onnx(policy_to_onnx(policy(), images(4)), tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    onnx.checker.check_model(onnx.load(tmp_path / "a.onnx"))


class _Drifting(nn.Module):
    """Gives other scores each time."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x.flatten(1)[:, :3] + self.calls


def test_a_policy_that_differs_is_refused() -> None:
    with pytest.raises(MismatchError, match="PyTorch and onnxruntime differ by"):
        policy_to_onnx(_Drifting(), images(4))
