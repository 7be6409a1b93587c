"""A multi-layer perceptron: dense layers with BatchNorm and ReLU, then one with a bias."""

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn


def mlp(input_shape: tuple[int, int, int], classes: int, hidden: Sequence[int]) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes); `hidden` are layer widths."""
    inputs = math.prod(input_shape)
    parts: OrderedDict[str, nn.Module] = OrderedDict(input=nn.Identity(), flatten=nn.Flatten())
    for i, outputs in enumerate(hidden, start=1):
        parts[f"dense{i}"] = nn.Linear(inputs, outputs, bias=False)
        parts[f"norm{i}"] = nn.BatchNorm1d(outputs)
        parts[f"relu{i}"] = nn.ReLU()
        inputs = outputs
    parts["dense"] = nn.Linear(inputs, classes)
    return nn.Sequential(parts)
