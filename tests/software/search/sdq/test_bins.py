"""Entropy-aware bin regularisation: its value, its gradient, its stability."""

import math

import pytest
import torch
from torch import Tensor

from bitfold.quant.lsq import bounds, codes
from bitfold.search.sdq.bins import STIFFEST, bin_penalty, ramp, spread


def weights(outputs: int = 8, inputs: int = 60, scale: float = 0.3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(outputs, inputs, generator=generator, dtype=torch.float64) * scale


def literal(weight: Tensor, step: float, bits: int, strength: float) -> float:
    """The formula as it is written, bin by bin."""
    unit = (2**bits - 1) / 2 ** (bits - 1) * weight.abs().mean(1, keepdim=True)
    whole = codes(weight, torch.tensor(step), bits, signed=True)
    total = 0.0
    for level in range(bounds(bits, signed=True)[0], bounds(bits, signed=True)[1] + 1):
        members = ((weight - level * step) / unit)[whole == level]
        if len(members):
            total += members.mean().item() ** 2
        if len(members) >= 2:
            total += members.var(correction=0).item()
    return strength * total


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
def test_it_is_squared_mean_plus_variance_of_each_bin(bits: int) -> None:
    w, strength = weights(), 1e-4  # so weak that no bin is too stiff
    step = 0.24 if bits == 1 else 1.2 / 2 ** (bits - 1)
    came = bin_penalty(w, torch.tensor(step), bits, strength).item()
    assert came == pytest.approx(literal(w, step, bits, strength), rel=1e-6)
    assert came > 0


def test_the_unit_spreads_normal_weights_about_evenly() -> None:
    """At 2 bits and levels -3, -1, 1, 3 thirds of the unit: 29 % in each inner, 21 % in each outer
    bin, by the normal distribution.
    """
    w = torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    unit = spread(2) * w.abs().mean()
    outer = (w > 2 / 3 * unit).float().mean().item()
    assert outer == pytest.approx(0.21, abs=0.005)
    assert ((w > 0).float().mean().item() - outer) == pytest.approx(0.29, abs=0.005)


def test_a_whole_bin_beside_its_level_is_penalised_without_any_variance() -> None:
    step = torch.tensor(0.5)
    on, off = torch.full((4, 5), 0.5), torch.full((4, 5), 0.6)
    assert bin_penalty(on, step, 3, 0.01).item() == 0
    assert bin_penalty(off, step, 3, 0.01).item() > 0


@pytest.mark.parametrize("level", [-4, 3])
def test_the_outermost_levels_have_bins_too(level: int) -> None:
    w = torch.full((2, 6), level * 0.5 + 0.1).requires_grad_()
    bin_penalty(w, torch.tensor(0.5), 3, 0.01).backward()
    assert w.grad is not None
    assert (w.grad > 0).all()  # towards the level from above, from outside the range as well


def test_bins_are_found_by_integers_not_by_equal_floats() -> None:
    step = torch.tensor(0.1) / 3
    whole = torch.arange(-8, 8).repeat(2, 1)
    values = torch.stack([sum([step] * abs(int(k)), torch.zeros(())) * k.sign() for k in whole[0]])
    assert not torch.equal(values / step, whole[0].float())  # floats that only nearly fit
    assert bin_penalty(values.repeat(2, 1), step, 4, 1.0).item() < 1e-9


def test_empty_bins_and_single_weights_are_finite() -> None:
    w = torch.tensor([[0.9, 0.0, 0.0, 0.0]], requires_grad=True)
    loss = bin_penalty(w, torch.tensor(0.01), 8, 0.1)
    loss.backward()
    assert loss.isfinite()
    assert w.grad is not None
    assert w.grad.isfinite().all()
    assert bin_penalty(torch.zeros(3, 4), torch.tensor(1e-5), 4, 0.1).item() == 0


def test_its_gradient_is_that_of_fixed_bins_and_leaves_the_step_alone() -> None:
    w = weights(3, 7).requires_grad_()
    step = torch.tensor(0.11, dtype=torch.float64, requires_grad=True)
    bin_penalty(w, step, 3, 1e-3).backward()
    assert step.grad is None
    assert w.grad is not None
    came, tiny = w.grad, 1e-6
    # By differences, with the units of the channels held, as they get no gradient.
    unit = spread(3) * w.detach().abs().mean(1, keepdim=True)
    whole = codes(w.detach(), step.detach(), 3, signed=True)
    counts = torch.stack([(whole == k).sum() for k in range(-4, 4)])[(whole + 4).long()]

    def value(x: Tensor) -> Tensor:
        return 1e-3 * ((x - whole * 0.11).square() / counts / unit.square()).sum()

    for row, column in ((0, 0), (1, 3), (2, 6)):
        moved = torch.zeros_like(w.detach())
        moved[row, column] = tiny
        ahead, behind = value(w.detach() + moved), value(w.detach() - moved)
        assert came[row, column].item() == pytest.approx(((ahead - behind) / 2 / tiny).item())


def test_the_scale_of_the_weights_is_no_matter() -> None:
    w = weights()
    one, small = (bin_penalty(w * f, torch.tensor(0.2 * f), 3, 1e-6).item() for f in (1.0, 0.05))
    assert small == pytest.approx(one)


@pytest.mark.parametrize("step", [0.5, 0.02, 1e-4])
def test_descent_never_overshoots_however_few_weights_and_however_small_the_step(
    step: float,
) -> None:
    """A bin of one weight in a layer of tiny weights: unbounded, its curvature is this much."""
    w = torch.randn(2, 6, generator=torch.Generator().manual_seed(1)) * 2 * step
    w.requires_grad_()
    unit = spread(4) * w.detach().abs().mean(1)
    unbounded = 2 * 0.1 / unit.square().max().item()
    rate = 1.0
    if step < 0.1:
        assert rate * unbounded > 10 * 2 * 1.9 / 2.8  # far beyond what descent would stand
    optimiser = torch.optim.SGD([w], lr=rate, momentum=0.9, nesterov=True)
    before = codes(w.detach(), torch.tensor(step), 4, signed=True)
    distance = (w.detach() - before * step).abs().max().item()
    for _ in range(300):
        optimiser.zero_grad()
        bin_penalty(w, torch.tensor(step), 4, 0.1).backward()
        assert w.grad is not None
        optimiser.step()
    after = codes(w.detach(), torch.tensor(step), 4, signed=True)
    assert w.isfinite().all()
    assert (w.detach() - after * step).abs().max().item() < 0.2 * distance


def test_the_curvature_is_bounded() -> None:
    w = (weights(4, 5) * 1e-3).requires_grad_()
    step = torch.tensor(2e-4, dtype=torch.float64)
    bin_penalty(w, step, 3, 0.1).backward()
    off = (w - codes(w, step, 3, signed=True) * step).detach()
    assert w.grad is not None
    assert (w.grad / off).max().item() == pytest.approx(STIFFEST)
    assert ((w.grad / off) <= STIFFEST * (1 + 1e-9)).all()


def test_the_strength_rises_after_the_warm_up() -> None:
    assert ramp(0.0, 0.25) == ramp(0.25, 0.25) == 0
    assert ramp(0.625, 0.25) == pytest.approx(0.5)
    assert ramp(1.0, 0.25) == 1
    assert ramp(0.5, 0.0) == pytest.approx(0.5)
    rising = [ramp(i / 50, 0.25) for i in range(51)]
    assert rising == sorted(rising)
    assert all(math.isfinite(value) for value in rising)
