"""VGG-19 with BatchNorm for 32x32 images: 16 convolutions and one dense layer.

Simonyan and Zisserman 2015, configuration E, with the classifier that is usual for CIFAR. Names of
`features` are those of torchvision's vgg19_bn; convolutions carry no bias, as BatchNorm follows.
"""

from collections import OrderedDict

from torch import nn

from bitfold.errors import ConfigError
from bitfold.models.blocks import conv, initialise

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions


def vgg19(input_shape: tuple[int, int, int], classes: int, width: float = 1.0) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes).

    `width` multiplies the channels. Five 2x2 max-pools: H and W must be multiples of 32. Raises:
    ConfigError.
    """
    depth, height, rows = input_shape
    if height % 32 or rows % 32:
        raise ConfigError(
            f"vgg19 halves the image five times, which {height}x{rows} does not allow; give "
            "images of 32x32 or a multiple, or take another network"
        )
    features: list[nn.Module] = []
    for base, count in STAGES:
        channels = max(1, round(base * width))
        for _ in range(count):
            features += [conv(depth, channels, 3), nn.BatchNorm2d(channels), nn.ReLU()]
            depth = channels
        features.append(nn.MaxPool2d(2))
    model = nn.Sequential(
        OrderedDict(
            input=nn.Identity(),
            features=nn.Sequential(*features),
            flatten=nn.Flatten(),
            classifier=nn.Linear(depth * (height // 32) * (rows // 32), classes),
        )
    )
    initialise(model)
    return model
