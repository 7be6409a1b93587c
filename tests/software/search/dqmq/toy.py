"""Small problems for DQMQ."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bitfold.data import DataSet, mix
from bitfold.models import cifar_resnet
from bitfold.quant import trace
from bitfold.search.dqmq import DQMQ
from bitfold.search.problem import Problem, pose

from ..nets import SHAPE, data, net

BITS = (2, 3, 4, 6)
QUALITIES = ("clean", "gaussian_blur:5")


def settings(**keys: Any) -> dict[str, Any]:
    return {"method": "dqmq", "bits": BITS, "first_last": "search", **keys}


def residual() -> nn.Module:
    """Three blocks, strided ones with shortcuts of zeros, and an average."""
    torch.manual_seed(0)
    return cifar_resnet(SHAPE, 10, depth=8, width=4)


def separable() -> nn.Module:
    """Depthwise and pointwise, rectifiers that saturate at 6 (some channels do), as MobileNets."""
    torch.manual_seed(0)
    model = nn.Sequential(
        OrderedDict(
            input=nn.Identity(),
            conv=nn.Conv2d(1, 6, 3, padding=1, bias=False),
            conv_norm=nn.BatchNorm2d(6),
            conv_relu=nn.ReLU6(),
            depthwise=nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=False),
            depthwise_norm=nn.BatchNorm2d(6),
            depthwise_relu=nn.ReLU6(),
            pointwise=nn.Conv2d(6, 8, 1, bias=False),
            pointwise_norm=nn.BatchNorm2d(8),
            pointwise_relu=nn.ReLU6(),
            flatten=nn.Flatten(),
            dense=nn.Linear(128, 10),
        )
    )
    with torch.no_grad():
        for name in ("conv_norm", "depthwise_norm", "pointwise_norm"):
            model.get_submodule(name).get_parameter("weight").mul_(12)
    return model


def problem(
    kind: str = "bitops",
    first_last: int | str = "search",
    like_uniform: int = 3,
    make: Callable[[], nn.Module] = net,
) -> Problem:
    return pose(
        trace(make(), SHAPE),
        kind=kind,
        value=None,
        like_uniform=like_uniform,
        bits=BITS,
        first_last=first_last,
        target="ecp5",
        seed=0,
    )


def mixed_data() -> DataSet:
    return mix(data(), QUALITIES)


def train_a_little(
    method: DQMQ, split: DataSet, steps: int = 10, make: Callable[[], nn.Module] = net
) -> nn.Module:
    """A few steps of the search phase without the loop."""
    model = make()
    method.prepare(model)
    method.start(model, steps, 1)
    torch.manual_seed(0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    model.train()
    for step in range(steps):
        method.before_step(model, step)
        optimiser.zero_grad()
        rows = torch.arange(step * 19, step * 19 + 64) % len(split.train)
        x, y = split.train.x[rows], split.train.y[rows]
        method.gradients(
            model, step, lambda x=x, y=y: cross_entropy(model(x), y), lambda loss: loss.backward()
        )
        method.edit_gradients(model)
        optimiser.step()
    return model
