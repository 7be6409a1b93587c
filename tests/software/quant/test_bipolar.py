"""Weights of one bit: signs times a learned step."""

import pytest
import torch

from bitfold.models import convnet
from bitfold.quant import quantise, settle, trace
from bitfold.quant.lsq import LSQ, bounds, codes, signs
from bitfold.quant.lsq import quantise as quantised

SHAPE = (1, 8, 8)


def test_one_signed_bit_is_bipolar() -> None:
    assert bounds(1, signed=True) == (-1, 1)
    x = torch.tensor([-3.0, -1e-9, -0.0, 0.0, 0.2, float("inf"), float("nan")])
    whole = codes(x, torch.tensor(0.5), 1, signed=True)
    assert whole[:-1].tolist() == [-1, -1, 1, 1, 1, 1]  # zero is +1, as in QONNX BipolarQuant
    assert whole[-1].isnan()  # so that a diverged training is seen
    assert torch.equal(quantised(x[:-1], torch.tensor(0.5), 1, signed=True), whole[:-1] * 0.5)


def test_gradients_are_straight_through_for_weights_and_exact_for_the_step() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, dtype=torch.float64, generator=generator).requires_grad_()
    step = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(200, dtype=torch.float64, generator=generator)
    quantised(x, step, 1, signed=True).backward(upstream)
    inside = x.detach().abs() <= 1.2
    assert 0 < int((~inside).sum()) < 100
    assert x.grad is not None
    assert torch.equal(x.grad, upstream * inside)
    assert step.grad is not None
    # d(step * sign(x)) / d step = sign(x), times LSQ's gradient scale 1 / sqrt(1 * 200).
    assert step.grad.item() == pytest.approx((upstream @ signs(x.detach())).item() / 200**0.5)


def test_the_first_step_is_the_least_squares_one() -> None:
    weight = torch.randn(500, generator=torch.Generator().manual_seed(0)) * 0.1
    quantiser = LSQ((1, 2), signed=True)
    quantiser.start_from(weight)
    assert quantiser.steps[0].item() == pytest.approx(weight.abs().mean().item())
    errors = [
        (weight - quantised(weight, quantiser.steps[0] * f, 1, signed=True)).square().sum().item()
        for f in (0.95, 1.0, 1.05)
    ]
    assert min(errors) == errors[1]


def test_brevitas_layers_compute_with_signs() -> None:
    torch.manual_seed(0)
    model = convnet(SHAPE, 10, (8, 8), (1, 2))
    bits = {"conv1": (3, 4), "conv2": (1, 4), "dense": (1, 4)}
    handles = quantise(model, trace(model, SHAPE), bits)
    model.train()
    model(torch.rand(16, *SHAPE)).square().mean().backward()
    for handle in handles[1:]:
        layer = model.get_submodule(handle.layer.name)
        weight = layer.quant_weight().value / handle.weight.step()
        assert weight.unique().tolist() == [-1, 1]
        assert torch.equal(handle.weight.codes(layer.get_parameter("weight")), weight)
        assert handle.weight.steps.grad is not None
        assert handle.weight.steps.grad.item() != 0
        assert layer.get_parameter("weight").grad is not None


def test_accumulators_of_signs_are_settled() -> None:
    """A sum of signs that ends exactly between two levels of the next layer is moved off."""
    torch.manual_seed(0)
    model = convnet(SHAPE, 10, (4,), ())
    handles = quantise(model, trace(model, SHAPE), {"conv1": (1, 2), "dense": (4, 3)})
    norm = model.get_submodule("norm1")
    with torch.no_grad():
        handles[0].act.steps.fill_(1.0)
        handles[0].weight.steps.fill_(0.125)
        handles[1].act.steps.fill_(0.25)
        norm.eps = 0.0
    bias = norm.get_parameter("bias")
    assert 0 < settle(model, handles) < 0.01
    # acc * 0.125 / 0.25 is k + 1/2 for every odd acc.
    halves = torch.arange(-27, 28, dtype=torch.float64) * 0.5
    levels = halves[None] + bias.double().detach()[:, None] / 0.25
    near = levels[(levels > -0.5) & (levels < 7.5)]
    assert ((near % 1) - 0.5).abs().min() > 1e-6
