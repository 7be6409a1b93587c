"""LIMPQ: learned step sizes as the importance of layers, one integer program for the bits.

Tang et al., Mixed-Precision Neural Network Quantization via Learned Layer-wise Importance,
ECCV 2022, arXiv:2203.08368. The paper's text was not at hand; this follows the authors' published
code (MIT licence, 2023): joint indicator training, the importance extractor and the search.
Defaults (alpha, learning rate, epochs, passes, clipping) are that code's.

Differs: layers without BatchNorm keep none; an outlier is erased by a finite penalty, so that it
is taken only when the budget leaves nothing else; weights and activations may be tied.
"""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, make_switchable
from bitfold.search.hooks import Backward, Pass
from bitfold.search.ilp import choose
from bitfold.search.method import Method
from bitfold.search.problem import Problem

Floats = npt.NDArray[np.float64]

MOST_STEP = 1.0  # the authors clamp steps to [1e-5, 1] in this phase
GRADIENT_LIMIT = 1.0  # elementwise


@final
class LIMPQ(Method):
    """Trains steps for all candidate bits at once, then solves for the policy."""

    def __init__(self, problem: Problem, *, alpha: float, tied: bool) -> None:
        self.problem, self.alpha, self.tied = problem, alpha, tied
        self.handles: tuple[QuantisedLayer, ...] = ()

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
        for parameter in model.parameters():
            if parameter.grad is not None and not parameter.grad.any():
                parameter.grad = None

    def _select(self, widths: Sequence[int]) -> None:
        for handle, width in zip(self.handles, widths, strict=True):
            handle.select(width, width)

    def indicators(self) -> tuple[Floats, Floats]:
        """Learned steps of weights and activations. Shapes (layers, candidates ascending)."""
        with torch.no_grad():
            w, a = (
                np.array([q.steps.clamp(1e-5, MOST_STEP).tolist() for q in quantisers], np.float64)
                for quantisers in (
                    [h.weight for h in self.handles],
                    [h.act for h in self.handles],
                )
            )
        return w, a

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Solve for the bits. Raises: BudgetError."""
        problem = self.problem
        options = problem.options()
        found, allowed = problem.limits(options)
        if self.tied:
            allowed &= np.eye(len(problem.bits), dtype=np.bool_)[None]
        picks = choose(objective(*self.indicators(), self.alpha), found, allowed)
        return problem.complete(
            {
                layer.name: options[i][w][a]
                for i, (layer, (w, a)) in enumerate(zip(problem.searched, picks, strict=True))
            }
        )

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


def objective(w_steps: Floats, a_steps: Floats, alpha: float) -> Floats:
    """What choosing (weight bits, activation bits) adds: s_a + alpha * s_w, outliers erased.

    Steps have shape (layers, candidates ascending); result (layers, candidates, candidates).
    """
    w, a = erase_outliers(w_steps), erase_outliers(a_steps)
    return a[:, None, :] + alpha * w[:, :, None]


def erase_outliers(steps: Floats) -> Floats:
    """Penalise a candidate whose step is below the next wider candidate's.

    A narrower width must look worse; one that looks better has not been trained well. The penalty
    exceeds any sum of steps, so it is chosen only when nothing else fits.
    """
    outlier = np.zeros(steps.shape, dtype=np.bool_)
    outlier[:, :-1] = steps[:, :-1] < steps[:, 1:]
    return np.where(outlier, steps + 1 + steps.sum(), steps)
