"""A result: what one run measured, small enough to be kept for good beside other runs'."""

import platform
from typing import Any

import torch

from bitfold.runfile import RunFile

SCHEMA = 1
_KEPT = (
    "data", "model", "method", "seed", "accuracy", "bitops", "size_bits", "budget", "layers",
    "findings", "export", "seconds", "epochs", "history", "versions",
)  # fmt: skip


def result(run: RunFile, metrics: dict[str, Any], commit: str) -> dict[str, Any]:
    """The content of results/*.json: configuration, commit, device, and every epoch's figures.

    metrics: content of metrics.json. commit: version of bitfold's sources that made it.
    """
    return {
        "kind": "result",
        "schema": SCHEMA,
        "commit": commit,
        "device": device_name(run.train.accelerator),
        "run": run.model_dump(mode="json", exclude={"data": {"root"}, "model": {"weights"}}),
        **{key: metrics[key] for key in _KEPT},
    }


def device_name(accelerator: str) -> str:
    """The processor that a run with this setting trains on."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"CPU ({platform.machine()})"
