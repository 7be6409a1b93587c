"""Weights in bit planes: values, gradients, and the scale."""

import pytest
import torch
from torch import Tensor

from bitfold.quant.lsq import LEAST_STEP
from bitfold.search.bsq.planes import BitPlanes, digits

PLANES = 7


def form(bits: int) -> BitPlanes:
    made = BitPlanes(PLANES)
    made.use(bits)
    return made


def random_planes(bits: int, seed: int, top: float = 2.0) -> tuple[Tensor, Tensor]:
    """Bits in 0..`top`, of the planes in use. Shape (planes, 5, 3, 2, 2) each."""
    generator = torch.Generator().manual_seed(seed)
    used = (torch.arange(PLANES) < bits).reshape(-1, 1, 1, 1, 1)
    positive, negative = (torch.rand(PLANES, 5, 3, 2, 2, generator=generator) for _ in "pn")
    return positive * top * used, negative * top * used


@pytest.mark.parametrize("bits", range(1, PLANES + 1))
def test_the_gradient_of_a_bit_is_its_worth_times_the_gradient_of_the_weight(bits: int) -> None:
    """dL/dW_p = s 2^b / (2^n - 1) dL/dW = -dL/dW_n, through rounding and through the clip."""
    positive, negative = (p.requires_grad_() for p in random_planes(bits, bits))
    step = torch.tensor(0.25, requires_grad=True)
    scale = 0.25 * (2**bits - 1)
    weight = form(bits)(positive, negative, step)
    grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    weight.backward(grad)
    assert positive.grad is not None
    assert negative.grad is not None
    for b in range(PLANES):
        worth = scale * 2**b / (2**bits - 1) if b < bits else 0.0
        assert torch.equal(positive.grad[b], worth * grad)
        assert torch.equal(negative.grad[b], -worth * grad)


def test_what_is_clipped_keeps_its_gradient() -> None:
    positive, negative = torch.full((PLANES, 2), 2.0), torch.zeros(PLANES, 2)
    positive.requires_grad_()
    weight = form(PLANES)(positive, negative, torch.tensor(1.0))
    assert weight.tolist() == [127, 127]  # the sum is 254
    weight.sum().backward()
    assert positive.grad is not None
    assert positive.grad[:, 0].tolist() == [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("bits", [1, 4, 7])
def test_weights_are_what_the_paper_says(bits: int) -> None:
    """W = s sign(u) round(|u| (2^n - 1)) / (2^n - 1), without overflow."""
    positive, negative = random_planes(bits, 3, top=1.0)
    levels, scale = 2**bits - 1, 0.7
    b = torch.arange(PLANES, dtype=torch.float64).reshape(-1, 1, 1, 1, 1)
    u = ((positive - negative).double() * 2**b).sum(0) / levels
    wanted = scale * u.sign() * (u.abs() * levels).round() / levels
    weight = form(bits)(positive, negative, torch.tensor(scale / levels))
    torch.testing.assert_close(weight.double(), wanted, rtol=1e-6, atol=0)
    assert wanted.abs().max() <= scale


@pytest.mark.parametrize("bits", [1, 3, 7])
def test_descent_on_the_step_is_descent_on_the_papers_scale(bits: int) -> None:
    """Three steps of momentum and decay, on W = s k / (2^n - 1) and on ours."""
    levels, lr = 2**bits - 1, 0.05
    positive, negative = random_planes(bits, 5, top=1.0)
    step = torch.nn.Parameter(torch.tensor(0.9 / levels))
    codes = form(bits)(positive, negative, torch.tensor(1.0))
    scale = torch.nn.Parameter(torch.tensor(0.9))
    sgd = [
        torch.optim.SGD([each], lr=lr, momentum=0.9, nesterov=True, weight_decay=0.01)
        for each in (step, scale)
    ]
    target = torch.randn(codes.shape, generator=torch.Generator().manual_seed(2))
    for _ in range(3):
        for each in sgd:
            each.zero_grad()
        (form(bits)(positive, negative, step) - target).square().mean().backward()
        (scale * codes / levels - target).square().mean().backward()
        for each in sgd:
            each.step()
    assert step.item() * levels == pytest.approx(scale.item(), rel=1e-5)
    assert scale.item() != pytest.approx(0.9, rel=1e-3)


def test_a_float_weight_on_the_grid_comes_back_exactly() -> None:
    codes = torch.arange(-127, 128, dtype=torch.float32).reshape(5, 51)
    made = form(PLANES)
    positive, negative, step = made.right_inverse(codes / 64)
    assert step == 1 / 64
    assert set(positive.unique().tolist()) == set(negative.unique().tolist()) == {0, 1}
    assert not (positive * negative).any()
    assert torch.equal(made(positive, negative, step), codes / 64)


def test_a_float_weight_is_rounded_to_the_scale_of_its_maximum() -> None:
    weight = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    made = form(PLANES)
    parts = made.right_inverse(weight)
    step = parts[2].item()
    assert step * 127 == pytest.approx(weight.abs().max().item())
    assert (made(*parts) - weight).abs().max() <= step * 0.5001


def test_a_weight_of_zeros_has_a_step() -> None:
    made = form(PLANES)
    positive, negative, step = made.right_inverse(torch.zeros(3, 4))
    assert step.item() == pytest.approx(LEAST_STEP)
    assert not torch.cat([positive, negative]).any()


def test_digits_are_those_of_the_integers() -> None:
    positive, negative = digits(torch.tensor([0, 5, -6, 127]), PLANES)
    assert positive[:, 1].tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert negative[:, 2].tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert positive[:, 3].tolist() == [1] * 7
    assert not positive[:, 2].any()
    assert not negative[:, 1].any()


def test_lower_precision_of_the_layers_does_not_touch_the_codes() -> None:
    positive, negative = random_planes(PLANES, 9)
    made, step = form(PLANES), torch.tensor(0.01)
    wanted = made(positive, negative, step)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(made(positive, negative, step), wanted)
