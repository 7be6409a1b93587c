"""From log probabilities of bits to what a layer multiplies its candidates with.

Three estimators of d E[loss] / d log p, where bits are drawn independently for each layer:

- gumbel: a draw forward, the softmax of the same perturbed logits backward (straight through).
  Pathwise: the gradient runs through the network. Its bias vanishes with the temperature.
- expected: the probabilities themselves, i.e. expected quantised values. No draw, no noise;
  exact where the loss is linear in each layer's choice.
- reinforce: a draw without a gradient; the score function does the rest (`score_loss`). Unbiased.
"""

from typing import Any, Literal, final

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from bitfold.quant import processes
from bitfold.quant.function import apply
from bitfold.search.parallel import drawn

Estimator = Literal["gumbel", "expected", "reinforce"]


@final
class _StraightThrough(torch.autograd.Function):
    """hard forward, exactly; the gradient goes to soft."""

    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def choices(log_p: Tensor, estimator: Estimator, tau: float) -> Tensor:
    """Weights of the candidates; one-hot but for "expected". Shapes (N, ..., candidates) both.

    `tau` is the temperature of "gumbel". Draws come from torch's own generator.
    """
    if estimator == "expected":
        return log_p.exp()
    perturbed = log_p + _gumbel(log_p)
    hard = one_hot(perturbed.argmax(-1), log_p.shape[-1]).to(log_p.dtype)
    if estimator == "reinforce":
        return hard.detach()
    soft = (perturbed / tau).softmax(-1)
    return straight_through(soft, hard)


def straight_through(soft: Tensor, hard: Tensor) -> Tensor:
    """`hard`, with the gradient going to `soft`; shapes alike."""
    return apply(_StraightThrough, soft, hard)


def most_likely(log_p: Tensor) -> Tensor:
    """One-hot of the most likely candidate: no draw. Shapes (..., candidates) both."""
    return one_hot(log_p.argmax(-1), log_p.shape[-1]).to(log_p.dtype)


def uniform_choices(like: Tensor) -> Tensor:
    """One-hot, each candidate as likely as the others; (N, ..., candidates) as `like`."""
    count = like.shape[-1]
    picks = drawn(lambda shape: torch.randint(count, shape, device=like.device), like.shape[:-1])
    return one_hot(picks, count).to(like.dtype)


def score_loss(log_p: Tensor, picked: Tensor, advantage: Tensor | float) -> Tensor:
    """Its gradient is REINFORCE's: advantage times d log p(picked), summed over all draws.

    Those of all processes: times their number, because gradients are averaged over them.
    """
    return ((log_p * picked).sum(-1) * advantage).sum() * processes.count()


def entropy(log_p: Tensor) -> Tensor:
    """Mean entropy of the distributions, in nats. (..., candidates) -> ()."""
    return -(log_p.exp() * log_p).sum(-1).mean()


def _gumbel(like: Tensor) -> Tensor:
    tiny = torch.finfo(like.dtype).tiny
    uniform = drawn(
        lambda shape: torch.rand(shape, device=like.device, dtype=like.dtype), like.shape
    ).clamp(min=tiny)
    return -(-uniform.log()).clamp(min=tiny).log()
