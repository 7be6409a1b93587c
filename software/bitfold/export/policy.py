"""A policy network to plain ONNX, proven equal."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto
from torch import Tensor, nn

from bitfold.errors import MismatchError
from bitfold.export.check import Floats
from bitfold.files import write_bytes

TOLERANCE = 1e-4  # of the largest score


class _WithChoice(nn.Module):
    """Scores, and the index of the greatest."""

    def __init__(self, scores: nn.Module) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) -> (N, modes), (N,)."""
        scores = self.scores(x)
        return scores, scores.argmax(1)


def policy_to_onnx(policy: nn.Module, x: Floats) -> ModelProto:
    """The graph x -> scores, mode, for any number of images; compared on all of x (N, C, H, W).

    Raises: MismatchError when onnxruntime gives other scores than torch, or another mode.
    """
    module = _WithChoice(policy).eval().cpu()
    sample = torch.from_numpy(x[:2])
    with warnings.catch_warnings():
        # torch deprecates this exporter; model.onnx is made by it too.
        warnings.simplefilter("ignore")
        graph = _export(module, sample)
    with torch.no_grad():
        scores, modes = (value.numpy() for value in module(torch.from_numpy(x)))
    came_scores, came_modes = run_policy(graph, x)
    gap = float(np.abs(came_scores - scores).max())
    if not gap <= TOLERANCE * max(float(np.abs(scores).max()), 1e-30):
        raise MismatchError(f"policy: PyTorch and onnxruntime differ by {gap:.3g} in a score")
    wrong = np.flatnonzero(came_modes != modes)
    if len(wrong):
        raise MismatchError(
            f"policy: PyTorch and onnxruntime choose another mode for {len(wrong)} of {len(x)} "
            f"images (first: image {wrong[0]}); two scores tie within float rounding"
        )
    return graph


def run_policy(graph: ModelProto, x: Floats) -> tuple[Floats, np.ndarray]:
    """Scores (N, modes) and modes (N,) for x (N, C, H, W), by onnxruntime."""
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    scores, modes = session.run(None, {"x": x})
    return scores, modes


def write_onnx(graph: ModelProto, path: Path) -> None:
    """Write a graph, the same bytes for the same graph."""
    write_bytes(path, graph.SerializeToString(deterministic=True))


def _export(module: nn.Module, sample: Tensor) -> ModelProto:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.onnx"
        torch.onnx.export(
            module,
            (sample,),
            path,
            dynamo=False,
            input_names=["x"],
            output_names=["scores", "mode"],
            dynamic_axes={"x": {0: "N"}, "scores": {0: "N"}, "mode": {0: "N"}},
        )
        return onnx.load(path)
