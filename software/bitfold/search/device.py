"""Where a run trains, and how its tensors lie there."""

from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.runfile import Train

_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"32": "32-true", "bf16": "bf16-mixed"}


def make_fabric(settings: Train) -> Fabric:
    """The fabric of a run: one process, or those that torchrun has started on this machine.

    Raises: ConfigError when the accelerator is not there.
    """
    if settings.accelerator == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            '[train] accelerator = "cuda", but torch finds no CUDA device here; use "auto" or "cpu"'
        )
    launched = TorchElasticEnvironment.detect()
    fabric = Fabric(
        accelerator=settings.accelerator,
        devices=TorchElasticEnvironment().world_size() if launched else 1,
        strategy="ddp" if launched else "auto",  # no model is wrapped: see bitfold.search.parallel
        precision=_PRECISION[settings.precision],
    )
    if launched:
        fabric.launch()
    return fabric


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move `model` to `device` in place; convolutions' weights channels-last on CUDA."""
    model.to(device)
    if device.type == "cuda":
        for parameter in model.parameters():
            parameter.data = lay_out(parameter.data)
    return model


def lay_out(x: Tensor) -> Tensor:
    """x with channels last in memory if it has four dimensions; same shape and values."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
