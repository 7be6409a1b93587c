"""The estimators against the exact gradient, on problems small enough to enumerate."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bitfold.quant.truncate import truncate
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.mixed import Decide, MixedLayer, make_mixed
from bitfold.search.dqmq.relax import (
    choices,
    entropy,
    most_likely,
    score_loss,
    straight_through,
    uniform_choices,
)

from ..nets import SHAPE, net
from .toy import problem

CANDIDATES = (2, 3, 5)
LAYERS, COUNT = 3, len(CANDIDATES)
POLICIES = torch.tensor(list(itertools.product(range(COUNT), repeat=LAYERS)))
HOT = torch.nn.functional.one_hot(POLICIES, COUNT).double()  # (27, layers, candidates)


def toy_loss(weights: Tensor) -> Tensor:
    """Three dense layers of truncated weights, linear loss. (N, layers, candidates) -> (N,)

    Linear in each layer's choice, so that the expectation of the loss is the loss of the
    expected weights.
    """
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(4, generator=generator, dtype=torch.float64).expand(len(weights), 4)
    for layer in range(LAYERS):
        plain = torch.randn(4, 4, generator=generator, dtype=torch.float64)
        step = torch.tensor(0.2, dtype=torch.float64)
        stack = torch.stack([truncate(plain, step, 5, keep, signed=True) for keep in CANDIDATES])
        mixed = torch.einsum("nb,bij->nij", weights[:, layer], stack)
        value = torch.einsum("nij,nj->ni", mixed, value)
    return value @ torch.randn(4, generator=generator, dtype=torch.float64)


def logits() -> Tensor:
    value = torch.randn(LAYERS, COUNT, generator=torch.Generator().manual_seed(1))
    return value.double().requires_grad_()


def exact_gradient() -> Tensor:
    """Of the expected loss, by enumeration of all 27 policies."""
    raw = logits()
    log_p = raw.log_softmax(1)
    p = (HOT * log_p).sum((1, 2)).exp()
    assert p.sum().item() == pytest.approx(1)
    (p * toy_loss(HOT)).sum().backward()
    assert raw.grad is not None
    return raw.grad


def test_expected_mode_has_the_exact_gradient() -> None:
    raw = logits()
    toy_loss(choices(raw.log_softmax(1)[None], "expected", 1.0)).sum().backward()
    torch.testing.assert_close(raw.grad, exact_gradient(), rtol=1e-10, atol=1e-12)


def sampled_gradients(estimator: str, tau: float, draws: int = 40_000) -> Tensor:
    """One gradient a draw. Shape (draws, layers, candidates)"""
    torch.manual_seed(2)
    raw = logits().detach().expand(draws, LAYERS, COUNT).clone().requires_grad_()
    log_p = raw.log_softmax(2)
    weights = choices(log_p, estimator, tau)
    losses = toy_loss(weights)
    if estimator == "reinforce":
        baseline = losses.mean()
        score_loss(log_p, weights, (losses - baseline)[:, None].detach()).backward()
    else:
        losses.sum().backward()
    assert raw.grad is not None
    return raw.grad


@pytest.mark.parametrize(
    ("estimator", "tau", "bias"), [("reinforce", 1.0, 0), ("gumbel", 0.1, 0.02)]
)
def test_sampled_mode_agrees_with_the_exact_gradient_in_the_mean(
    estimator: str, tau: float, bias: float
) -> None:
    """Pathwise and REINFORCE alike, within four standard errors (and the temperature's bias)."""
    found, wanted = sampled_gradients(estimator, tau), exact_gradient()
    error = found.std(0) / len(found) ** 0.5
    assert (error < 0.2 * wanted.abs().max()).all()
    allowed = 4 * error + bias * wanted.abs().max()
    assert ((found.mean(0) - wanted).abs() <= allowed).all()


def test_the_temperature_trades_bias_for_variance() -> None:
    cold, hot = sampled_gradients("gumbel", 0.1), sampled_gradients("gumbel", 2.0)
    wanted = exact_gradient()
    assert hot.std(0).sum() < cold.std(0).sum() / 3
    assert (hot.mean(0) - wanted).abs().sum() > 3 * (cold.mean(0) - wanted).abs().sum()


def test_two_way_gumbel_has_the_bias_and_spread_worked_out_for_it() -> None:
    """E[dc/dbeta] of a draw with p = 0.7 is 0.907 at tau 0.5, with deviation 0.84."""
    torch.manual_seed(0)
    beta = torch.full((200_000,), 0.7, dtype=torch.float64, requires_grad=True)
    weights = choices(torch.stack([beta.log(), (1 - beta).log()], 1), "gumbel", 0.5)
    weights[:, 0].sum().backward()
    assert beta.grad is not None
    assert beta.grad.mean().item() == pytest.approx(0.907, abs=0.01)
    assert beta.grad.std().item() == pytest.approx(0.84, abs=0.01)


def test_draws_are_as_frequent_as_probable_and_one_hot() -> None:
    torch.manual_seed(0)
    log_p = torch.tensor([0.1, 0.2, 0.7]).log().expand(30_000, 3)
    for estimator in ("gumbel", "reinforce"):
        drawn = choices(log_p, estimator, 0.5)
        assert ((drawn == 0) | (drawn == 1)).all()
        assert drawn.mean(0).tolist() == pytest.approx([0.1, 0.2, 0.7], abs=0.01)
    assert uniform_choices(log_p).mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.01)
    assert most_likely(log_p)[0].tolist() == [0, 0, 1]


def test_straight_through_is_hard_forward_and_soft_backward() -> None:
    soft = torch.tensor([0.3, 0.7], requires_grad=True)
    value = straight_through(soft, torch.tensor([1.0, 0.0]))
    assert value.tolist() == [1, 0]
    (value * torch.tensor([5.0, 7.0])).sum().backward()
    assert soft.grad is not None
    assert soft.grad.tolist() == [5, 7]


def test_entropy_is_that_of_the_distributions() -> None:
    even = torch.full((2, 3, 4), 0.25).log()
    assert entropy(even).item() == pytest.approx(torch.tensor(4.0).log().item())


def test_reinforce_is_unbiased_in_the_real_network() -> None:
    """Layers with ReLU, norms and cross-entropy; one image, its policies enumerated."""
    torch.manual_seed(0)
    bits = (2, 4)
    decision = Decision(3, bits)
    model = net()
    decide = make_mixed(model, problem().searched, "input", bits, decision)
    image, label = torch.rand(1, *SHAPE), torch.tensor([3])
    for layer in (m for m in model.modules() if isinstance(m, MixedLayer)):
        layer.act_planes.start_at(0.05)
    model.eval()

    def losses(weights: Tensor) -> Tensor:
        """Of the image at each row of weights (N, layers, candidates). (N,)"""
        forced = _Forced(decide, weights)
        model.input = forced
        out = model(image.expand(len(weights), *SHAPE))
        model.input = decide
        return cross_entropy(out, label.expand(len(weights)), reduction="none")

    raw = decision(image).detach()
    every = torch.nn.functional.one_hot(
        torch.tensor(list(itertools.product(range(2), repeat=3))), 2
    ).float()
    leaf = raw.clone().requires_grad_()
    with torch.no_grad():
        loss = losses(every)
    ((every * leaf.log_softmax(2)).sum((1, 2)).exp() * loss).sum().backward()
    assert leaf.grad is not None
    draws = 6000
    many = raw.expand(draws, 3, 2).clone().requires_grad_()
    log_p = many.log_softmax(2)
    drawn = choices(log_p, "reinforce", 1.0)
    with torch.no_grad():
        found = losses(drawn)
    score_loss(log_p, drawn, (found - found.mean())[:, None]).backward()
    assert many.grad is not None
    error = many.grad.std(0) / draws**0.5
    assert ((many.grad.mean(0) - leaf.grad[0]).abs() <= 4 * error + 1e-6).all()
    assert leaf.grad.abs().max() > 8 * error.max()


class _Forced(torch.nn.Module):
    """Stands in for Decide with given weights."""

    def __init__(self, decide: Decide, weights: Tensor) -> None:
        super().__init__()
        self.choice, self.weights = decide.choice, weights

    def forward(self, x: Tensor) -> Tensor:
        self.choice.weights = self.weights
        return x
