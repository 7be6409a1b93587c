"""The network of a run file: one case a family."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from bitfold.data import DataSet
from bitfold.models import (
    cifar_resnet,
    convnet,
    load_weights,
    mlp,
    mobilenet_v1,
    mobilenet_v2,
    resnet18,
    resnet50,
    vgg19,
)
from bitfold.runfile import CifarResNet, ConvNet, Mlp, MobileNet, Model, ResNet, Vgg19

Shape = tuple[int, int, int]

RESNETS: Mapping[str, Callable[[Shape, int, int], nn.Module]] = {
    "resnet18": resnet18,
    "resnet50": resnet50,
}
MOBILENETS: Mapping[str, Callable[[Shape, int, float], nn.Module]] = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
}


def build(model: Model, data: DataSet, seed: int) -> nn.Module:
    """The float network of a run file, with its [model] weights or else untrained.

    Raises: ConfigError when the network does not fit the images, or the weights the network.
    """
    torch.manual_seed(seed)
    made = _make(model, data.shape, data.classes)
    if model.weights is not None:
        load_weights(made, model.weights)
    return made


def _make(model: Model, shape: Shape, classes: int) -> nn.Module:
    match model:
        case ConvNet():
            return convnet(shape, classes, model.channels, model.pools, model.kernel)
        case Mlp():
            return mlp(shape, classes, model.hidden)
        case CifarResNet():
            depth = int(model.name.removeprefix("resnet"))
            return cifar_resnet(shape, classes, depth, model.width, model.option)
        case ResNet():
            return RESNETS[model.name](shape, classes, model.width)
        case Vgg19():
            return vgg19(shape, classes, model.width)
        case MobileNet():
            return MOBILENETS[model.name](shape, classes, model.width)
