"""Exponential moving average of the weights.

Polyak and Juditsky 1992, as an exponential average; the decay grows as min(decay, (1+n)/(10+n))
over the first n updates, as TensorFlow's does, so that short phases are not held at their start.
"""

from collections.abc import Collection, Mapping
from typing import Any, final

import torch
from torch import Tensor, nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@final
class Ema:
    """Averages of all parameters and of BatchNorm's running statistics.

    Other buffers (counters, masks, flags) are not averaged: the model's current ones hold. The
    first update copies, so what the first batch starts (activation steps) is started here too.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        current = averaged(model)
        if not self.average:
            self.average = {name: value.detach().clone() for name, value in current.items()}
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in current.items():
            self.average[name].lerp_(value, 1 - decay)
        self.updates += 1

    @torch.no_grad()
    def restart(self, model: nn.Module, parameters: Collection[nn.Parameter]) -> None:
        """Forget the past of `parameters`, which now mean something else."""
        changed = {id(parameter) for parameter in parameters}
        for name, value in averaged(model).items():
            if id(value) in changed:
                self.average[name].copy_(value)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"updates": self.updates, "average": self.average}

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Take up the `state` of a checkpoint."""
        self.updates = state["updates"]
        self.average = {name: value.to(device) for name, value in state["average"].items()}


def averaged(model: nn.Module) -> dict[str, Tensor]:
    """What is averaged, by its name in the state dictionary; a shared one under every name."""
    found: dict[str, Tensor] = dict(model.named_parameters(remove_duplicate=False))
    for path, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, _NORMS):
            for name, buffer in module.named_buffers(recurse=False):
                if buffer.is_floating_point():
                    found[f"{path}.{name}" if path else name] = buffer
    return found
