"""Accumulators are kept off rounding boundaries."""

import pytest
import torch
from torch import Tensor, nn

from bitfold.models import convnet
from bitfold.quant import QuantisedLayer, quantise, settle, trace

SHAPE = (1, 8, 8)
BITS = {"conv1": (3, 2), "dense": (4, 3)}


def tying_net(gain: float) -> tuple[nn.Module, tuple[QuantisedLayer, ...]]:
    """conv1 whose accumulator 2k + 1 sits exactly on the boundary k + 1/2 of the next levels."""
    torch.manual_seed(0)
    model = convnet(SHAPE, 10, (4,), ())
    handles = quantise(model, trace(model, SHAPE), BITS)
    norm = model.get_submodule("norm1")
    with torch.no_grad():
        handles[0].act.steps.fill_(1.0)
        handles[0].weight.steps.fill_(0.125)
        handles[1].act.steps.fill_(0.25)
        model.get_submodule("conv1").get_parameter("weight").mul_(4)
        norm.get_parameter("weight").fill_(gain)
        norm.eps = 0.0
    return model, handles


def nearest_tie(model: nn.Module, handles: tuple[QuantisedLayer, ...]) -> float:
    """Distance in levels of the closest accumulator to a boundary, tried one by one."""
    layer, norm = model.get_submodule("conv1"), model.get_submodule("norm1")
    whole = layer.quant_weight().value.flatten(1) / 0.125
    closest = 1.0
    for channel, row in enumerate(whole):
        low, high = int(row.clamp(max=0).sum() * 3), int(row.clamp(min=0).sum() * 3)
        for acc in range(low, high + 1):
            value = acc * 0.125 * norm.get_parameter("weight")[channel].double()
            level = (value + norm.get_parameter("bias")[channel].double()).item() / 0.25
            if -0.5 < level < 7.5:
                closest = min(closest, abs(level % 1 - 0.5))
    return closest


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.37])
def test_no_accumulator_stays_on_a_boundary(gain: float) -> None:
    model, handles = tying_net(gain)
    before = nearest_tie(model, handles)
    shift = settle(model, handles)
    after = nearest_tie(model, handles)
    if abs(gain) == 1:
        assert before == 0
        assert 0 < shift < 0.01
    assert after > 1e-6


def test_a_constant_channel_is_settled_too() -> None:
    model, handles = tying_net(0.0)
    bias = model.get_submodule("norm1").get_parameter("bias")
    with torch.no_grad():
        bias.fill_(0.25 * 2.5)
    assert 0 < settle(model, handles) < 0.01
    assert all(abs(value / 0.25 - 2.5) > 1e-6 for value in bias.tolist())


def test_a_settled_model_is_left_alone() -> None:
    model, handles = tying_net(1.0)
    settle(model, handles)
    bias = model.get_submodule("norm1").get_parameter("bias").clone()
    assert settle(model, handles) == 0
    assert torch.equal(bias, model.get_submodule("norm1").get_parameter("bias"))


class Fork(nn.Module):
    """One BatchNorm whose outputs two quantisers read, with steps of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.input, self.conv1 = nn.Identity(), nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm1, self.relu = nn.BatchNorm2d(4), nn.ReLU()
        self.left, self.right = nn.Identity(), nn.Identity()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.pool, self.join = nn.Sequential(nn.MaxPool2d(8), nn.Flatten()), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.norm1(self.conv1(self.input(x)))))
        out: Tensor = self.join(self.one(self.left(x))) + self.join(self.two(self.right(x)))
        return out


def test_all_quantisers_behind_a_norm_are_settled_at_once() -> None:
    torch.manual_seed(0)
    model = Fork()
    layers = trace(model, SHAPE)
    assert layers[0].readers == ("left", "right")
    handles = quantise(model, layers, {"conv1": (3, 2), "one": (4, 3), "two": (4, 3)})
    with torch.no_grad():
        handles[0].act.steps.fill_(1.0)
        handles[0].weight.steps.fill_(0.125)
        handles[1].act.steps.fill_(0.25)  # accumulator 2k + 1 is on k + 1/2
        handles[2].act.steps.fill_(0.05)  # where no accumulator is at 0, but at a shift of 0.025
        model.conv1.get_parameter("weight").mul_(4)
        model.norm1.eps = 0.0
    before = nearest_tie(model, handles)
    shift = settle(model, handles)
    assert before == 0
    assert 0 < shift < 0.01
    for handle in handles[1:]:
        step = handle.act.step().double()
        for channel in range(4):
            bias = model.norm1.bias.double()[channel]
            levels = (torch.arange(-200, 200) * 0.125 + bias) / step
            inside = levels[(levels > -0.5) & (levels < 7.5)]
            assert ((inside % 1 - 0.5).abs() > 1e-6).all()
