"""The small ResNets for 32x32 images: 6n + 2 layers in three stages (He et al. 2016, Sec. 4.2)."""

from collections import OrderedDict

from torch import nn

from bitfold.errors import ConfigError
from bitfold.models.blocks import conv, initialise
from bitfold.models.residual import BasicBlock, projection


def cifar_resnet(
    input_shape: tuple[int, int, int],
    classes: int,
    depth: int = 20,
    width: int = 16,
    option: str = "A",
) -> nn.Module:
    """Build the network. x (N, C, H, W) -> logits (N, classes).

    Stages of `width`, 2 and 4 times `width`; depth = 6n + 2 has n blocks a stage. The shortcut
    that changes the size has, as `option`, "A": no weights (every second pixel, zeros for the new
    channels, half of them on either side) or "B": a 1x1 convolution. Raises: ConfigError.
    """
    if depth < 8 or (depth - 2) % 6:
        raise ConfigError(f"a CIFAR ResNet has 6n + 2 layers (8, 14, 20, ...), got {depth}")
    if option not in ("A", "B"):
        raise ConfigError(f'[model] option must be "A" or "B", got {option!r}')
    if option == "A" and width % 2:
        raise ConfigError(f"[model] width must be even for option A, got {width}")
    blocks = (depth - 2) // 6
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        input=nn.Identity(),
        conv1=conv(input_shape[0], width, 3),
        bn1=nn.BatchNorm2d(width),
        relu=nn.ReLU(),
    )
    inputs = width
    for stage in range(3):
        outputs, stride = width << stage, 1 if stage == 0 else 2
        change = None
        if stage:
            make = projection if option == "B" else _zero_padded
            change = make(inputs, outputs, stride)
        parts[f"layer{stage + 1}"] = nn.Sequential(
            BasicBlock(inputs, outputs, stride, change),
            *(BasicBlock(outputs, outputs, 1, None) for _ in range(blocks - 1)),
        )
        inputs = outputs
    parts["avgpool"] = nn.AdaptiveAvgPool2d(1)
    parts["flatten"] = nn.Flatten()
    parts["pooled"] = nn.Identity()
    parts["fc"] = nn.Linear(inputs, classes)
    model = nn.Sequential(parts)
    initialise(model)
    return model


def _zero_padded(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Shortcut of option A, from modules that keep values on their grid."""
    side = (outputs - inputs) // 2
    # A pool of one pixel only skips; the last two numbers pad channels.
    return nn.Sequential(nn.MaxPool2d(1, stride), nn.ZeroPad3d((0, 0, 0, 0, side, side)))
