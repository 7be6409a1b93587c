"""metrics.json: what a run measured."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, final

from bitfold.cost import bitops, size_bits
from bitfold.export import Agreement
from bitfold.policy import LayerBits
from bitfold.runfile import RunFile
from bitfold.search.costs import CostModel, layer_shape
from bitfold.search.keep import summary
from bitfold.search.problem import Problem

SCHEMA = 1
FLOAT_BITS = 32
PACKAGES = ("bitfold", "torch", "brevitas", "lightning-fabric", "qonnx", "onnx", "scipy", "numpy")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """Everything that a run measured; accuracies are fractions, by model and split.

    bitops, reached: means over inputs, where bits differ between inputs (`method.Written`).
    """

    policy: Mapping[str, LayerBits]
    accuracy: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    history: Mapping[str, list[dict[str, Any]]]
    keep: str  # last or best
    findings: Mapping[str, Any]
    agreement: Agreement
    bitops: float | None = None
    reached: float | None = None


def metrics(run: RunFile, problem: Problem, measured: Measured) -> dict[str, Any]:
    """The content of metrics.json, ready for `files.write_json`."""
    layers = problem.costs.layers
    eight = {layer.name: LayerBits(w_bits=8, a_bits=8) for layer in layers}
    policies = {"searched": measured.policy, "uniform8": eight}
    totals = {
        kind: {
            name: CostModel(kind=kind, layers=layers, target=problem.costs.target).total(policy)
            for name, policy in policies.items()
        }
        for kind in ("bitops", "size")
    }
    if measured.bitops is not None:
        totals["bitops"]["searched"] = measured.bitops
    reached = measured.reached
    weights = sum(layer_shape(layer).weights for layer in layers)
    return {
        "kind": "metrics",
        "schema": SCHEMA,
        "data": run.data.name,
        "model": run.model.model_dump(mode="json", exclude={"weights"}),
        "method": run.search.model_dump(mode="json"),
        "seed": run.train.seed,
        "accuracy": measured.accuracy,
        "bitops": totals["bitops"],
        "size_bits": {**totals["size"], "float": weights * FLOAT_BITS},
        "budget": {
            "kind": problem.costs.kind,
            "like_uniform": run.budget.like_uniform,
            "wanted": problem.limit,
            "reached": problem.costs.total(measured.policy) if reached is None else reached,
            "also": [
                {
                    "kind": budget.costs.kind,
                    "like_uniform": section.like_uniform,
                    "wanted": budget.limit,
                    "reached": budget.costs.total(measured.policy),
                }
                for section, budget in zip(run.budget.also, problem.also, strict=True)
            ],
        },
        "layers": [_layer(problem, measured.policy, i) for i in range(len(layers))],
        "findings": measured.findings,
        "export": asdict(measured.agreement),
        "seconds": measured.seconds,
        "epochs": {
            name: shown
            for name, history in measured.history.items()
            if (shown := summary(history, measured.keep)) is not None
        },
        "history": measured.history,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _layer(problem: Problem, policy: Mapping[str, LayerBits], index: int) -> dict[str, Any]:
    layer = problem.costs.layers[index]
    bits, shape = policy[layer.name], layer_shape(layer)
    return {
        "name": layer.name,
        "w_bits": bits.w_bits,
        "a_bits": bits.a_bits,
        "macs": shape.macs,
        "weights": shape.weights,
        "bitops": bitops(shape.macs, bits.w_bits, bits.a_bits),
        "size_bits": size_bits(shape.weights, bits.w_bits),
        "searched": layer.name not in problem.fixed,
    }
