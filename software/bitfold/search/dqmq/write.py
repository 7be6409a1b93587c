"""What a dynamic network leaves beside model.onnx: policy.onnx, modes.json, modes/N.onnx."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from bitfold.data import DataSet, Split
from bitfold.export import check_equal, policy_to_onnx, to_qonnx, write_onnx
from bitfold.files import digest, write_json
from bitfold.policy import LayerBits
from bitfold.search.dqmq.dynamic import DynamicNet
from bitfold.search.dqmq.single import single_mode
from bitfold.search.method import Written
from bitfold.search.problem import CostModel, Problem

SCHEMA = 1
BATCH = 64  # inputs that share a mode in the figures of the per-batch choice
COMPARED = 1000  # test images that each mode's graph is compared on
CHUNK = 256


@final
class InMode(nn.Module):
    """A dynamic network held in one mode."""

    def __init__(self, network: DynamicNet, mode: int) -> None:
        super().__init__()
        self.network, self.mode = network, mode

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, classes)"""
        return self.network.run(x, self.mode)


def write_modes(network: DynamicNet, data: DataSet, folder: Path, problem: Problem) -> Written:
    """Write the files; model.onnx is in `folder` already.

    policy.onnx: image -> scores of the modes, and the mode. modes/N.onnx: mode N alone as QONNX,
    to compile or to compare. modes.json: what the modes are and who uses them. Raises:
    MismatchError when a file does not compute what the network does.
    """
    network.eval()
    x = data.test.x.numpy()
    write_onnx(policy_to_onnx(network.policy, x), folder / "policy.onnx")
    for mode in range(network.modes):
        graph = to_qonnx(single_mode(network, problem.costs.layers, mode), data.shape)
        check_equal(InMode(network, mode), graph, x[:COMPARED])
        write_onnx(graph, folder / "modes" / f"{mode}.onnx")
    measured = {
        "validation": measure(network, data.validation, data.qualities, problem),
        "test": measure(network, data.test, data.qualities, problem),
    }
    names = ("model.onnx", "policy.onnx")
    value = {
        "kind": "modes",
        "schema": SCHEMA,
        "bitfold": version("bitfold"),
        "files": {name: digest(folder / name) for name in names},
        "budget": {"kind": problem.costs.kind, "limit": problem.limit},
        "qualities": list(data.qualities),
        "stored": network.stored,
        "modes": [_mode(network, mode, problem, folder) for mode in range(network.modes)],
        "use": measured,
    }
    write_json(folder / "modes.json", value)
    held = measured["validation"]["per_input"]
    findings = {split: _summary(found) for split, found in measured.items()}
    return Written(findings=findings, bitops=held["bitops"], reached=held["cost"])


def measure(
    network: DynamicNet, split: Split, qualities: tuple[str, ...], problem: Problem
) -> dict[str, Any]:
    """Accuracy, mean costs and shares of the modes, overall and by quality of the input.

    per_input: each input in its own mode. per_batch: 64 inputs of one quality share a mode.
    """
    alone = torch.cat([network.choose(part) for part in _parts(split.x, CHUNK)])
    kinds = len(qualities) or 1
    labels = split.quality if split.quality is not None else torch.zeros_like(split.y)
    together = torch.empty_like(alone)
    for kind in range(kinds):
        rows = (labels == kind).nonzero().flatten()
        for part in _parts(rows, BATCH):
            together[part] = network.choose(split.x[part], per_batch=True)
    names = qualities or ("all",)
    return {
        how: _use(network, split, modes, {n: labels == i for i, n in enumerate(names)}, problem)
        for how, modes in (("per_input", alone), ("per_batch", together))
    }


@torch.no_grad()
def _use(
    network: DynamicNet,
    split: Split,
    modes: Tensor,
    members: Mapping[str, Tensor],
    problem: Problem,
) -> dict[str, Any]:
    pairs = zip(_parts(split.x, CHUNK), _parts(modes, CHUNK), strict=True)
    right = torch.cat([network.grouped(x, m).argmax(1) for x, m in pairs]) == split.y
    bits = [network.bits(mode) for mode in range(network.modes)]
    costs = _totals(problem.costs, bits)
    bitops = _totals(_of_kind(problem, "bitops"), bits)

    def part(rows: Tensor) -> dict[str, Any]:
        mine = modes[rows].numpy()
        share = np.bincount(mine, minlength=network.modes) / len(mine)
        return {
            "accuracy": right[rows].float().mean().item(),
            "cost": float(share @ costs),
            "bitops": float(share @ bitops),
            "share": share.tolist(),
            "bits": {
                name: float(share @ np.array([b[name].w_bits for b in bits]))
                for name in network.names
            },
        }

    whole = part(torch.arange(len(split)))
    by_quality = {name: part(mask.nonzero().flatten()) for name, mask in members.items()}
    return {**whole, "by_quality": by_quality}


def _mode(network: DynamicNet, mode: int, problem: Problem, folder: Path) -> dict[str, Any]:
    bits = network.bits(mode)
    path = f"modes/{mode}.onnx"
    return {
        "file": path,
        "sha256": digest(folder / path),
        "picked": mode < network.picked,
        "bitops": _of_kind(problem, "bitops").total(bits),
        "cost": problem.costs.total(bits),
        "layers": {n: {"w_bits": b.w_bits, "a_bits": b.a_bits} for n, b in bits.items()},
    }


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("accuracy", "cost", "bitops")
    return {how: {key: use[key] for key in keys} for how, use in found.items()}


def _of_kind(problem: Problem, kind: str) -> CostModel:
    return CostModel(kind=kind, layers=problem.costs.layers, target=problem.costs.target)


def _totals(costs: CostModel, bits: list[dict[str, LayerBits]]) -> np.ndarray:
    return np.array([costs.total(each) for each in bits], dtype=np.float64)


def _parts(x: Tensor, size: int) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = x.split(size)
    return parts
