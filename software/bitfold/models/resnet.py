"""ResNet-18 and ResNet-50 in torchvision's layout: its weights load, its outputs come out."""

from collections import OrderedDict

from torch import nn

from bitfold.models.blocks import conv, initialise
from bitfold.models.residual import BasicBlock, Bottleneck, projection

EXPANSION = 4  # outputs of a bottleneck, in units of its width


def resnet18(input_shape: tuple[int, int, int], classes: int, width: int = 64) -> nn.Module:
    """Basic blocks, two a stage. x (N, C, H, W) -> logits (N, classes).

    `width` is that of the first stage; each of the next three has twice the one before.
    """
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = width
    for stage in range(4):
        outputs, stride = width << stage, 1 if stage == 0 else 2
        change = projection(inputs, outputs, stride) if stage else None
        stages[f"layer{stage + 1}"] = nn.Sequential(
            BasicBlock(inputs, outputs, stride, change), BasicBlock(outputs, outputs, 1, None)
        )
        inputs = outputs
    return _assemble(input_shape[0], width, stages, inputs, classes)


def resnet50(input_shape: tuple[int, int, int], classes: int, width: int = 64) -> nn.Module:
    """Bottlenecks, 3, 4, 6 and 3 a stage. Shapes and `width` as in `resnet18`.

    The stride is at the 3x3 convolution, as in torchvision, not at the 1x1 of the paper.
    """
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = width
    for stage, count in enumerate((3, 4, 6, 3)):
        narrow, stride = width << stage, 1 if stage == 0 else 2
        outputs = narrow * EXPANSION
        change = projection(inputs, outputs, stride)
        stages[f"layer{stage + 1}"] = nn.Sequential(
            Bottleneck(inputs, narrow, outputs, stride, change),
            *(Bottleneck(outputs, narrow, outputs, 1, None) for _ in range(count - 1)),
        )
        inputs = outputs
    return _assemble(input_shape[0], width, stages, inputs, classes)


def _assemble(
    depth: int, width: int, stages: OrderedDict[str, nn.Module], features: int, classes: int
) -> nn.Module:
    model = nn.Sequential(
        OrderedDict(
            input=nn.Identity(),
            conv1=conv(depth, width, 7, 2),
            bn1=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
            maxpool=nn.MaxPool2d(3, 2, padding=1),
            **stages,
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            pooled=nn.Identity(),
            fc=nn.Linear(features, classes),
        )
    )
    initialise(model)
    return model
