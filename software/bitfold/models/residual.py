"""The two residual blocks of He et al. 2016, arXiv:1512.03385, with places for quantisers.

Module names of layers are torchvision's, so that its weights load. `input` is the place of the
activation quantiser of what follows it. `join` is called on both branches, so that it becomes one
quantiser and their sum stays on one grid. nn.Identity has no weights and changes no value.
"""

from collections import OrderedDict
from typing import final

from torch import Tensor, nn

from bitfold.models.blocks import conv


def projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Shortcut of option B: a 1x1 convolution and BatchNorm."""
    return nn.Sequential(
        OrderedDict(
            {
                "input": nn.Identity(),
                "0": conv(inputs, outputs, 1, stride),
                "1": nn.BatchNorm2d(outputs),
            }
        )
    )


@final
class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (None: the input itself).

    x (N, inputs, H, W) -> (N, outputs, H / stride, W / stride), rounded up.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.input = nn.Identity()
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(outputs, outputs, 3)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = downsample
        self.join = nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        out = self.relu1(self.bn1(self.conv1(self.input(x))))
        out = self.bn2(self.conv2(out))
        identity = x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(self.join(out) + self.join(identity))
        return result


@final
class Bottleneck(nn.Module):
    """A 1x1, a 3x3 (which has the stride) and a 1x1 convolution of `width`, `width`, `outputs`.

    x (N, inputs, H, W) -> (N, outputs, H / stride, W / stride), rounded up.
    """

    def __init__(
        self, inputs: int, width: int, outputs: int, stride: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.input = nn.Identity()
        self.conv1 = conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = conv(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = downsample
        self.join = nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        out = self.relu1(self.bn1(self.conv1(self.input(x))))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(self.join(out) + self.join(identity))
        return result
