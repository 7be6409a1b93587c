"""A small convolutional network: convolutions with BatchNorm and ReLU, pools, one dense layer."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from bitfold.errors import ConfigError


def convnet(
    input_shape: tuple[int, int, int],
    classes: int,
    channels: Sequence[int],
    pools: Sequence[int],
    kernel: int = 3,
) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes).

    Convolutions keep the size (zero padding), carry no bias (BatchNorm follows) and are numbered
    from 1; a 2x2 max-pool follows those that `pools` names. `input` is the place of the input
    quantiser. Raises: ConfigError when a pool meets an odd size or an unknown convolution.
    """
    depth, height, width = input_shape
    if not set(pools) <= set(range(1, len(channels) + 1)):
        raise ConfigError(f"[model] pools must lie in 1..{len(channels)}, got {list(pools)}")
    parts: OrderedDict[str, nn.Module] = OrderedDict(input=nn.Identity())
    for i, outputs in enumerate(channels, start=1):
        parts[f"conv{i}"] = nn.Conv2d(depth, outputs, kernel, padding=kernel // 2, bias=False)
        parts[f"norm{i}"] = nn.BatchNorm2d(outputs)
        parts[f"relu{i}"] = nn.ReLU()
        depth = outputs
        if i in pools:
            if height % 2 or width % 2:
                raise ConfigError(
                    f"[model] pools: convolution {i} is {height}x{width}, which 2x2 pooling does "
                    "not divide; pool elsewhere"
                )
            parts[f"pool{i}"] = nn.MaxPool2d(2)
            height, width = height // 2, width // 2
    parts["flatten"] = nn.Flatten()
    parts["dense"] = nn.Linear(depth * height * width, classes)
    return nn.Sequential(parts)
