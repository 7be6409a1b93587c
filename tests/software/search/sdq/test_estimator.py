"""The straight-through choice: its distribution, its gradient, its ends."""

import pytest
import torch
from torch import Tensor

from bitfold.search.sdq.estimator import MARGIN, choose, interpolate, relaxed_choice

DRAWS = 400_000


def gumbel(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return -torch.empty(*shape, dtype=torch.float64).exponential_(generator=generator).log()


@pytest.mark.parametrize(
    ("temperature", "mean", "deviation"),
    [(0.1, 0.999, 2.64), (0.5, 0.907, 0.84), (1.0, 0.739, 0.37), (2.0, 0.496, 0.11)],
)
def test_temperature_trades_the_gradients_bias_against_its_variance(
    temperature: float, mean: float, deviation: float
) -> None:
    """At beta = 0.7; means and deviations by independent simulation."""
    beta = torch.full((DRAWS,), 0.7, dtype=torch.float64, requires_grad=True)
    share = relaxed_choice(beta, gumbel(2, DRAWS), temperature)
    share.sum().backward()
    assert beta.grad is not None
    assert beta.grad.mean().item() == pytest.approx(mean, abs=3 * deviation / DRAWS**0.5 + 5e-4)
    assert beta.grad.std().item() == pytest.approx(deviation, rel=0.02, abs=0.005)
    # Forward there is no bias, whatever the temperature: within three standard deviations.
    picked = (share > 0.5).double().mean().item()
    assert picked == pytest.approx(0.7, abs=3 * (0.7 * 0.3 / DRAWS) ** 0.5)


def test_the_gradient_is_the_closed_form() -> None:
    noise, tau = gumbel(2, 40), 0.8
    for i in range(40):
        beta = torch.tensor(0.15 + 0.018 * i, dtype=torch.float64, requires_grad=True)
        high, low, upstream = (gumbel(30, seed=j) for j in (1, 2, 3))
        share = relaxed_choice(beta, noise[:, i], tau)
        choose(high, low, share).backward(upstream)
        c, b = share.item(), beta.item()
        wanted = (upstream @ (high - low)).item() * c * (1 - c) / (tau * b * (1 - b))
        assert beta.grad is not None
        assert beta.grad.item() == pytest.approx(wanted)


def test_one_of_the_two_comes_out_whole_and_gets_the_gradient() -> None:
    for share in (0.4, 0.6):
        high, low = gumbel(50, seed=1).requires_grad_(), gumbel(50, seed=2).requires_grad_()
        chosen, other = (high, low) if share > 0.5 else (low, high)
        out = choose(high, low, torch.tensor(share))
        assert torch.equal(out, chosen)
        out.sum().backward()
        assert chosen.grad is not None
        assert other.grad is not None
        assert torch.equal(chosen.grad, torch.ones(50, dtype=torch.float64))
        assert not other.grad.any()


def test_interpolation_is_the_same_gradient_with_beta_for_the_choice() -> None:
    beta = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    high, low, upstream = (gumbel(30, seed=j) for j in (1, 2, 3))
    out = interpolate(high, low, beta)
    torch.testing.assert_close(out, 0.3 * high + 0.7 * low)
    out.backward(upstream)
    assert beta.grad is not None
    assert beta.grad.item() == pytest.approx((upstream @ (high - low)).item())


@pytest.mark.parametrize("end", [MARGIN, 1 - MARGIN])
def test_at_the_ends_choice_and_gradient_are_finite_and_alive(end: float) -> None:
    """At 0 and 1 themselves the logarithm is infinite, and the gradient divides by zero."""
    beta = torch.full((2000,), end, requires_grad=True)
    relaxed_choice(beta, gumbel(2, 2000).float(), 1.0).sum().backward()
    assert beta.grad is not None
    assert beta.grad.isfinite().all()
    assert (beta.grad > 0).any()
    mixed = torch.tensor(end, requires_grad=True)
    interpolate(torch.ones(3), torch.zeros(3), mixed).sum().backward()
    assert mixed.grad is not None
    assert mixed.grad.item() == 3
