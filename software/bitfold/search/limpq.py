"""LIMPQ: learned step sizes as the importance of layers, one integer program for the bits.

Tang et al., Mixed-Precision Neural Network Quantization via Learned Layer-wise Importance,
ECCV 2022, arXiv:2203.08368. The paper's text was not at hand; this follows the authors' published
code (MIT licence, 2023): joint indicator training, the importance extractor and the search.
Defaults (alpha, learning rate, epochs, passes, clipping) are that code's. `reverse` is the paper's
"Ours-R", known to us by name and result alone: here the same sum of indicators is maximised.

As there: passes from the widest candidate to the narrowest and one of random bits, gradients summed
and clipped, one step and one BatchNorm per candidate, weights trained along, fixed layers (first
and last) in floating point, steps that look better than a wider candidate's erased.

Differs: with first_last = "search" these two layers are quantised too, and in the random pass a
dense layer draws its bits like a convolution; an activation quantiser sits at the ReLU, so in front
of a pool (same values; but more elements enter the scale of its step's gradient); the learning rate
falls to 0, not to 1e-5; the random draws leave other generators alone; steps below 1e-5 count as
1e-5; an outlier is erased by a finite penalty, so that it is taken only when the budget leaves
nothing else; where the program's optimum leaves more than 2 % of the budget, the best policy that
does not is taken; weights and activations may be tied. Finetuning is that of all methods: no SAT
rescaling of the classifier, and the input is quantised.
"""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch
from torch import nn

from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, make_switchable
from bitfold.quant.lsq import LEAST_STEP
from bitfold.search.hooks import Backward, Pass
from bitfold.search.ilp import Bools, Floats
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.spend import choose_spending

MOST_STEP = 1.0  # the authors clamp steps to [1e-5, 1] in this phase
GRADIENT_LIMIT = 1.0  # elementwise


@final
class LIMPQ(Method):
    """Trains steps for all candidate bits at once, then solves for the policy."""

    def __init__(
        self, problem: Problem, *, alpha: float, tied: bool, reverse: bool = False
    ) -> None:
        self.problem, self.alpha, self.tied, self.reverse = problem, alpha, tied, reverse
        self.handles: tuple[QuantisedLayer, ...] = ()
        problem.check(problem.options(tied=tied))

    def prepare(self, model: nn.Module) -> None:
        """Quantise the searched layers with a step and a norm per candidate; others stay float."""
        problem = self.problem
        self.handles = make_switchable(model, problem.searched, problem.bits, MOST_STEP)

    def gradients(self, model: nn.Module, step: int, one_pass: Pass, backward: Backward) -> float:
        """Sum the gradients of one pass per candidate, descending, and one with random bits.

        In the random pass a layer's weights and activations share their width. The draw depends on
        seed and step alone. Returns the mean task loss of the uniform passes.
        """
        bits = self.problem.bits
        losses = []
        for width in reversed(bits):
            self._select([width] * len(self.handles))
            loss = one_pass()
            backward(loss)
            losses.append(loss.item())
        draw = np.random.default_rng((self.problem.seed, step))
        self._select([int(b) for b in draw.choice(bits, len(self.handles))])
        backward(one_pass())
        return float(np.mean(losses))

    def edit_gradients(self, model: nn.Module) -> None:
        """Clip each element; an unused copy gets neither momentum nor decay."""
        nn.utils.clip_grad_value_(model.parameters(), GRADIENT_LIMIT)
        given = [p for p in model.parameters() if p.grad is not None]
        # One transfer for all: each `if` on a GPU's tensor would wait for the GPU.
        used = torch.stack([p.grad.any() for p in given if p.grad is not None]).tolist()
        for parameter, some in zip(given, used, strict=True):
            if not some:
                parameter.grad = None

    def _select(self, widths: Sequence[int]) -> None:
        for handle, width in zip(self.handles, widths, strict=True):
            handle.select(width, width)

    def indicators(self) -> tuple[Floats, Floats]:
        """Learned steps of weights and activations. Shapes (layers, candidates ascending).

        As the authors do, without the upper bound: a step that starts above it is not trained, and
        what it starts at orders the candidates still.
        """
        w, a = (
            np.array([q.steps.detach().tolist() for q in quantisers], np.float64).clip(LEAST_STEP)
            for quantisers in ([h.weight for h in self.handles], [h.act for h in self.handles])
        )
        return w, a

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Solve for the bits. Raises: BudgetError."""
        problem = self.problem
        options = problem.options(tied=self.tied)
        value = objective(*self.indicators(), self.alpha, reverse=self.reverse)
        if self.tied:
            value = np.diagonal(value, axis1=1, axis2=2)[:, :, None]
        return choose_spending(problem, options, value)

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """The indicators, by layer, one per candidate, and how many sit at the upper bound."""
        w, a = self.indicators()
        return {
            "bits": list(self.problem.bits),
            "weight_steps": {
                h.layer.name: row.tolist() for h, row in zip(self.handles, w, strict=True)
            },
            "activation_steps": {
                h.layer.name: row.tolist() for h, row in zip(self.handles, a, strict=True)
            },
            "steps_at_bound": int((w >= MOST_STEP).sum() + (a >= MOST_STEP).sum()),
        }


def objective(w_steps: Floats, a_steps: Floats, alpha: float, *, reverse: bool = False) -> Floats:
    """What choosing (weight bits, activation bits) adds: s_a + alpha * s_w, or less of it.

    Steps have shape (layers, candidates ascending); result (layers, candidates, candidates). An
    outlier adds more than all other choices together can save: it is chosen only when nothing else
    fits.
    """
    value = a_steps[:, None, :] + alpha * w_steps[:, :, None]
    value = -value if reverse else value
    penalty = 1 + float(np.ptp(value, axis=(1, 2)).sum())
    count = outliers(w_steps)[:, :, None].astype(np.float64) + outliers(a_steps)[:, None, :]
    erased: Floats = value + penalty * count
    return erased


def outliers(steps: Floats) -> Bools:
    """Candidates whose step is below the next wider one's. Shape (layers, candidates ascending).

    A narrower width must look worse; one that looks better has not been trained well.
    """
    outlier = np.zeros(steps.shape, dtype=np.bool_)
    outlier[:, :-1] = steps[:, :-1] < steps[:, 1:]
    return outlier
