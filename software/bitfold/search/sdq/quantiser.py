"""Weights that are quantised to one of two adjacent candidate widths, as one parameter decides.

Each candidate above the lowest has a differentiable bit-width parameter (DBP) beta: the probability
of that candidate against the next lower one. Only the current candidate's is at work.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from bitfold.quant.lsq import LEAST_STEP, codes, quantise
from bitfold.search.sdq.estimator import MARGIN, choose, interpolate, relaxed_choice

START = 0.9  # beta of a candidate that has just become the current one
TRIED_SHARES = (0.2, 1.2, 41)  # first, last, count; widest where bits are few, tails long


@final
class AdjacentQuantiser(nn.Module):
    """Parametrisation of a layer's weight: quantised at the current candidate or one lower.

    In evaluation, and where nothing is drawn, always at the current candidate. Each candidate has a
    step, which follows the weights and is not learned: learned steps of 8 bits are so small that
    one large gradient ends them.
    """

    def __init__(
        self, bits: Sequence[int], weight: Tensor, *, stochastic: bool, temperature: float
    ) -> None:
        """`bits` ascend; the highest is the first current one. `weight` starts the steps.

        stochastic: draw one of the two, or else interpolate; temperature: of the draw's gradient.
        """
        super().__init__()
        self.stochastic, self.temperature = stochastic, temperature
        self.bits = tuple(bits)
        self.steps = nn.Buffer(torch.ones(len(self.bits)))
        for index in range(len(self.bits))[-2:]:  # the others when they come into reach
            self.steps[index] = best_step(weight, self.bits[index])
        self.betas = nn.Parameter(torch.full((len(self.bits) - 1,), START))
        self.current = len(self.bits) - 1  # index into bits
        self.noise: Tensor | None = None  # of this step's draw, shape (2,); None: no draw
        self.errors = torch.zeros(2)  # relative, of (current, one lower), when last drawn

    @property
    def beta(self) -> Tensor:
        """The current candidate's DBP. Shape (). Not for the lowest candidate."""
        assert self.current > 0
        return self.betas[self.current - 1]

    def step_down(self, weight: Tensor) -> None:
        """Fix the next lower candidate; its own DBP and the step below it start afresh."""
        self.current -= 1
        if self.current > 0:
            self.steps[self.current - 1] = best_step(weight, self.bits[self.current - 1])

    def follow(self, weight: Tensor) -> None:
        """Move the two steps at work to the least squares ones for the integers they give."""
        for index in {self.current, max(self.current - 1, 0)}:
            self.steps[index] = better_step(weight, self.steps[index], self.bits[index])

    @torch.no_grad()
    def harm(self, weight: Tensor) -> float:
        """Share of the weights' energy that one candidate less would lose.

        At the lowest candidate, what that one itself has lost.
        """
        low = self.quantised(weight, max(self.current - 1, 0))
        here, below = relative_errors(weight, self.quantised(weight, self.current), low).tolist()
        return float(max(below - here, 0.0) if self.current else here)

    def step_at(self, weight: Tensor, bits: int) -> float:
        """The current step, or the best one where `bits` are not the current candidate's."""
        if bits == self.bits[self.current]:
            return float(self.steps[self.current])
        return float(best_step(weight, bits))

    def quantised(self, weight: Tensor, index: int) -> Tensor:
        """Weights at candidate `index`. Shape of weight."""
        return quantise(weight, self.steps[index], self.bits[index], signed=True)

    def forward(self, weight: Tensor) -> Tensor:
        """Quantise the latent weight (any shape)."""
        high = self.quantised(weight, self.current)
        if not self.training or self.noise is None:
            return high
        low = self.quantised(weight, self.current - 1)
        self.errors = relative_errors(weight, high, low)
        if not self.stochastic:
            return interpolate(high, low, self.beta)
        return choose(high, low, relaxed_choice(self.beta, self.noise, self.temperature))


@torch.no_grad()
def relative_errors(weight: Tensor, *quantised: Tensor) -> Tensor:
    """||w - q||^2 / ||w||^2 of each. Shape (number of tensors,)."""
    energy = weight.square().sum().clamp(min=LEAST_STEP**2)
    return torch.stack([(weight - q).square().sum() / energy for q in quantised])


@torch.no_grad()
def clamp_betas(betas: Tensor) -> None:
    """Keep beta where the estimator is defined, in place."""
    betas.clamp_(MARGIN, 1 - MARGIN)


@torch.no_grad()
def best_step(weight: Tensor, bits: int) -> Tensor:
    """The step that minimises ||w - Q_bits(w)||^2, out of shares of the one that clips nothing.

    Shape ().
    """
    if bits == 1:
        return weight.abs().mean().clamp(min=LEAST_STEP)
    whole_range = weight.abs().max() / 2 ** (bits - 1)
    shares = torch.linspace(*TRIED_SHARES, device=weight.device)
    tries = (whole_range * shares).clamp(min=LEAST_STEP)
    errors = [(weight - quantise(weight, t, bits, signed=True)).square().sum() for t in tries]
    best: Tensor = tries[int(torch.stack(errors).argmin())]
    return best


@torch.no_grad()
def better_step(weight: Tensor, step: Tensor, bits: int) -> Tensor:
    """The step that is best for the integers which the present one gives. Shape ()."""
    whole = codes(weight, step, bits, signed=True)
    energy = whole.square().sum()
    found = (weight * whole).sum() / energy.clamp(min=1)
    return torch.where(energy > 0, found, step).clamp(min=LEAST_STEP)
