"""MobileNetV1: depthwise-separable convolutions (Howard et al. 2017, arXiv:1704.04861, Table 1)."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from bitfold.models.blocks import conv, initialise

FIRST = 32
# Outputs of each pointwise convolution, stride of the depthwise one before it. The paper's table
# gives the last depthwise convolution stride 2 and size 7 to 7; stride 1 is what it computes.
PAIRS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def mobilenet_v1(
    input_shape: tuple[int, int, int],
    classes: int,
    width: float = 1.0,
    pairs: Sequence[tuple[int, int]] = PAIRS,
) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes).

    `width` multiplies all channels; `pairs` are (channels, stride) of the separable convolutions.
    """

    def scaled(channels: int) -> int:
        return max(1, round(channels * width))

    depth = scaled(FIRST)
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        input=nn.Identity(),
        conv=conv(input_shape[0], depth, 3, 2),
        conv_norm=nn.BatchNorm2d(depth),
        conv_relu=nn.ReLU(),
    )
    for i, (channels, stride) in enumerate(pairs, start=1):
        outputs = scaled(channels)
        parts[f"depthwise{i}"] = conv(depth, depth, 3, stride, groups=depth)
        parts[f"depthwise{i}_norm"] = nn.BatchNorm2d(depth)
        parts[f"depthwise{i}_relu"] = nn.ReLU()
        parts[f"pointwise{i}"] = conv(depth, outputs, 1)
        parts[f"pointwise{i}_norm"] = nn.BatchNorm2d(outputs)
        parts[f"pointwise{i}_relu"] = nn.ReLU()
        depth = outputs
    parts["avgpool"] = nn.AdaptiveAvgPool2d(1)
    parts["flatten"] = nn.Flatten()
    parts["pooled"] = nn.Identity()
    parts["dense"] = nn.Linear(depth, classes)
    model = nn.Sequential(parts)
    initialise(model)
    return model
