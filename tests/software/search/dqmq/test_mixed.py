"""The network of the search phase."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, max_pool2d, one_hot

from bitfold.models import mlp
from bitfold.quant import trace
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.mixed import (
    Decide,
    MixedLayer,
    make_mixed,
    slice_norm,
    stacked_norm,
)

from ..nets import SHAPE, net
from .toy import BITS, problem


def mixed() -> tuple[nn.Module, Decide]:
    model = net()
    decide = make_mixed(model, problem().searched, "input", BITS, Decision(3, BITS))
    x = torch.rand(32, *SHAPE)
    model.train()
    decide.decision.standardise.learning = True
    for _ in range(3):  # steps and statistics start
        model(x)
    decide.decision.standardise.learning = False
    return model, decide


def test_evaluation_takes_the_most_likely_bits_of_each_image() -> None:
    """Every image, with its bits written out by hand layer by layer."""
    model, decide = mixed()
    with torch.no_grad():
        decide.decision.last.weight.mul_(20)
    model.eval()
    x = torch.rand(6, *SHAPE)
    with torch.no_grad():
        came = model(x)
        bits = decide.decision(x).argmax(2)
        for n in range(6):
            torch.testing.assert_close(came[n : n + 1], by_hand(model, x[n : n + 1], bits[n]))
    assert len(torch.unique(bits, dim=0)) > 1


def by_hand(model: nn.Module, x: Tensor, bits: Tensor) -> Tensor:
    for name, pick in zip(("conv1", "conv2", "dense"), bits.tolist(), strict=True):
        layer = model.get_submodule(name)
        assert isinstance(layer, MixedLayer)
        keep = BITS[pick]
        acts = layer.act_planes.codes(x, keep) * layer.act_planes.scale(keep)
        weight = layer.weight_planes.codes(layer.layer.weight, keep)
        weight = weight * layer.weight_planes.scale(keep)
        if name == "dense":
            assert layer.bias is not None
            return linear(acts.flatten(1), weight, layer.bias.chunk(len(BITS))[pick])
        assert layer.norm is not None
        x = slice_norm(layer.norm, len(BITS), pick).eval()(conv2d(acts, weight, padding=1))
        x = max_pool2d(x.relu(), 2)
    raise AssertionError


def test_a_stacked_norm_is_its_copies_side_by_side() -> None:
    norm = nn.BatchNorm2d(3)
    x = torch.randn(8, 6, 4, 4) + torch.arange(6.0).reshape(1, 6, 1, 1)
    both = stacked_norm(norm, 2)
    wanted = torch.cat([norm(x[:, :3]), nn.BatchNorm2d(3)(x[:, 3:])], 1)
    torch.testing.assert_close(both(x), wanted)
    second = slice_norm(both, 2, 1)
    assert second.running_mean is not None
    torch.testing.assert_close(second.running_mean, x[:, 3:].mean((0, 2, 3)) * 0.1)


def test_grouped_convolutions_keep_their_groups() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 8, 3, groups=2, padding=1)
    decide = Decide(Decision(1, BITS))
    layer = MixedLayer(plain, norm=None, bits=BITS, choice=decide.choice, row=0, signed=False)
    layer.act_planes.start_at(1 / 63)
    x = torch.rand(len(BITS), 4, 5, 5)
    decide.choice.weights = one_hot(torch.arange(len(BITS)), len(BITS)).float()[:, None]
    came = layer(x)
    assert layer.bias is not None
    for n, keep in enumerate(BITS):
        acts = layer.act_planes(x[n : n + 1], keep)
        weight = layer.weight_planes(plain.weight, keep)
        bias = layer.bias.chunk(len(BITS))[n]
        wanted = conv2d(acts, weight, bias, padding=1, groups=2)
        torch.testing.assert_close(came[n : n + 1], wanted)


@pytest.mark.parametrize("how", ["gumbel", "expected"])
def test_the_task_loss_moves_the_policy_through_the_network(how: str) -> None:
    model, decide = mixed()
    decide.how = how
    model(torch.rand(16, *SHAPE)).square().mean().backward()
    gradient = decide.decision.last.bias.grad
    assert gradient is not None
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("how", ["uniform", "reinforce"])
def test_without_a_pathwise_estimator_it_does_not(how: str) -> None:
    model, decide = mixed()
    decide.how = how
    model(torch.rand(16, *SHAPE)).square().mean().backward()
    assert decide.decision.last.bias.grad is None


def test_dense_networks_are_mixed_too() -> None:
    model = mlp(SHAPE, 10, (16, 8))
    layers = trace(model, SHAPE)
    make_mixed(model, layers, "input", BITS, Decision(len(layers), BITS))
    model.train()
    assert model(torch.rand(12, *SHAPE)).shape == (12, 10)
