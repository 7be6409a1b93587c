"""torchvision's weights load into our networks, and give torchvision's outputs, bit for bit."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision import models

from bitfold.models import mobilenet_v2, resnet18, resnet50

SHAPE = (3, 40, 40)

PAIRS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module]]] = {
    "resnet18": (lambda: resnet18(SHAPE, 1000), models.resnet18),
    "resnet50": (lambda: resnet50(SHAPE, 1000), models.resnet50),
    "mobilenet_v2": (lambda: mobilenet_v2(SHAPE, 1000), models.mobilenet_v2),
    "mobilenet_v2 x0.35": (
        lambda: mobilenet_v2(SHAPE, 1000, 0.35),
        lambda: models.mobilenet_v2(width_mult=0.35),
    ),
}


def with_statistics(model: nn.Module) -> nn.Module:
    """BatchNorms of a network that has been trained: nothing is 0 or 1."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                assert value is not None
                value.data.copy_(torch.rand(value.shape, generator=generator) + 0.1)
    return model


@pytest.mark.parametrize("name", PAIRS)
def test_weights_load_strictly_and_outputs_are_equal(name: str) -> None:
    torch.manual_seed(0)
    ours, theirs = (make() for make in PAIRS[name])
    with_statistics(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.rand(2, *SHAPE)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_training_mode_is_equal_too_with_its_dropout() -> None:
    ours, theirs = (make().train() for make in PAIRS["mobilenet_v2 x0.35"])
    ours.load_state_dict(theirs.state_dict())
    x = torch.rand(4, *SHAPE)
    outputs = []
    for model in (ours, theirs):
        torch.manual_seed(2)
        outputs.append(model(x))
    assert torch.equal(*outputs)
