"""MobileNetV2 in torchvision's layout: inverted residuals with linear bottlenecks.

Sandler et al. 2018, arXiv:1801.04381. Module names of layers are torchvision's; `input`, `join` and
`pooled` are places for quantisers, as in `models.residual`. What joins here may be negative.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import final

from torch import Tensor, nn

from bitfold.models.blocks import conv, initialise

FIRST, LAST, DROPOUT = 32, 1280, 0.2
# Expansion, output channels, blocks, stride of the first block (Table 2).
STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def divisible(channels: float, by: int = 8) -> int:
    """The multiple of `by` nearest to `channels`, at least `by`, and not under 90 % of them."""
    made = max(by, int(channels + by / 2) // by * by)
    return made + by if made < 0.9 * channels else made


def _unit(inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1) -> list[nn.Module]:
    return [conv(inputs, outputs, kernel, stride, groups), nn.BatchNorm2d(outputs), nn.ReLU6()]


def _numbered(modules: Sequence[nn.Module]) -> nn.Module:
    """The modules as "0", "1", ..., behind the place of an input quantiser."""
    named = {str(i): module for i, module in enumerate(modules)}
    return nn.Sequential(OrderedDict({"input": nn.Identity(), **named}))


@final
class InvertedResidual(nn.Module):
    """Expand by 1x1, filter every channel by 3x3, project by 1x1 without an activation.

    x (N, inputs, H, W) -> (N, outputs, H / stride, W / stride), rounded up; x is added where the
    shapes are equal.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        units = [] if expansion == 1 else [nn.Sequential(*_unit(inputs, hidden, 1, 1))]
        units.append(nn.Sequential(*_unit(hidden, hidden, 3, stride, groups=hidden)))
        self.conv = _numbered([*units, conv(hidden, outputs, 1), nn.BatchNorm2d(outputs)])
        self.join = nn.Identity() if stride == 1 and inputs == outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        out: Tensor = self.conv(x)
        if self.join is None:
            return out
        joined: Tensor = self.join(x) + self.join(out)
        return joined


def mobilenet_v2(
    input_shape: tuple[int, int, int],
    classes: int,
    width: float = 1.0,
    stages: Sequence[tuple[int, int, int, int]] = STAGES,
) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes).

    `width` multiplies channels, rounded to multiples of 8; the last convolution never has fewer
    than at 1. `stages` are (expansion, channels, blocks, stride).
    """
    depth = divisible(FIRST * width)
    features = [_numbered(_unit(input_shape[0], depth, 3, 2))]
    for expansion, channels, count, stride in stages:
        outputs = divisible(channels * width)
        for i in range(count):
            features.append(InvertedResidual(depth, outputs, stride if i == 0 else 1, expansion))
            depth = outputs
    last = divisible(LAST * max(1.0, width))
    features.append(_numbered(_unit(depth, last, 1, 1)))
    classifier = OrderedDict(
        {
            "0": nn.Dropout(DROPOUT),
            "pooled": nn.Identity(),
            "1": nn.Linear(last, classes),
        }
    )
    model = nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*features),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Sequential(classifier),
        )
    )
    initialise(model)
    return model
