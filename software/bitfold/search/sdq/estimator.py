"""The stochastic choice between two candidates, and its straight-through gradient.

SDQ draws Q_high with probability beta and Q_low otherwise, by Gumbel-softmax [second-hand: its
Eq. 4-5]. The estimator here is the two-way straight-through one: the hard choice forward, the
derivative of the relaxed choice backward, so that

    dL/dbeta = <dL/dw_q, Q_high(w) - Q_low(w)> * c (1 - c) / (tau * beta * (1 - beta)).

Forward it is unbiased at every temperature tau; the gradient's bias grows with tau and its variance
falls.
"""

from typing import Any

import torch
from torch import Tensor

from bitfold.quant.function import apply

MARGIN = 1e-3  # beta stays this far from 0 and 1, where its logarithms and 1/(beta (1-beta)) end


def relaxed_choice(beta: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """c in (0, 1), differentiable in beta; the hard choice is c > 1/2, and that with P = beta.

    beta: any shape, within [MARGIN, 1 - MARGIN]. noise: two independent standard Gumbel variables
    for each, shape (2, *beta.shape). temperature > 0. Result: beta's shape.
    """
    logits = torch.stack([beta.log(), (1 - beta).log()])
    return ((logits + noise) / temperature).softmax(0)[0]


class _Choose(torch.autograd.Function):
    """high or low, whole; the value's gradient goes to the chosen one, the choice's to `share`."""

    @staticmethod
    def forward(ctx: Any, high: Tensor, low: Tensor, share: Tensor) -> Tensor:
        pick = share > 0.5
        ctx.save_for_backward(high, low, pick)
        return torch.where(pick, high, low)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (grad,) = grads
        high, low, pick = ctx.saved_tensors
        return grad * pick, grad * ~pick, (grad * (high - low)).sum()


def choose(high: Tensor, low: Tensor, share: Tensor) -> Tensor:
    """`high` where share > 1/2, else `low`, both of one shape; share is a scalar.

    Gradients: of the value to the chosen tensor; of the share <gradient, high - low>.
    """
    return apply(_Choose, high, low, share)


def interpolate(high: Tensor, low: Tensor, beta: Tensor) -> Tensor:
    """The deterministic mixture that FracBits trains: the case c = beta of the same gradient."""
    return low + beta * (high - low)
