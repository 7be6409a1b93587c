"""Weights in front of a BatchNorm brought back to the size that they started from.

Ours. The lasso shrinks weights: a layer that has lost its top planes has weights a hundred times
smaller than it began with, and its BatchNorm makes up for it. The gradient of the scale grows as
the scale shrinks, and once the variance of the outputs is near the BatchNorm's epsilon, the scale
explodes or collapses and the layer is dead; finetuning, which trains the weights themselves, would
suffer likewise. So the weights are multiplied by a power of two, their codes staying the same, and
the BatchNorm's statistics with them, so that the network computes what it did.
"""

import math

import torch
from torch import nn

from bitfold.search.bsq.layer import PlanedLayer


@torch.no_grad()
def resize(layer: PlanedLayer, norm: nn.Module) -> None:
    """Change the step of `layer` and the statistics of the BatchNorm `norm` behind it, in place."""
    rms = layer.weight().square().mean().sqrt().item()
    if rms == 0 or layer.rms == 0:
        return
    times = 2.0 ** round(math.log2(layer.rms / rms))
    layer.step.mul_(times)
    norm.get_buffer("running_mean").mul_(times)
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    eps = norm.eps
    # sqrt(var + eps) is what outputs are divided by; where var is far below eps it cannot shrink.
    norm.get_buffer("running_var").add_(eps).mul_(times**2).sub_(eps).clamp_(min=0)
