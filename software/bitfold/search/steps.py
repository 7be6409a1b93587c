"""Keep a single batch from ending the steps of quantisers.

A quantiser's step is one small number with the gradient of a whole tensor behind it. A batch that
is unlike the others, at few bits above all, may give a gradient that throws the step past zero, or
to many times its size, from where it takes epochs to return. So each gradient is limited such that
the batch, its momentum included, moves the step by at most half. Several batches in a row may still
push it below the least step that a quantiser uses; there the half is that of the least, so that it
comes back. Ours; Esser et al. (LSQ) scale the gradient for its usual size only.
"""

from collections.abc import Sequence

import torch
from torch import nn

from bitfold.quant import LSQ, Planes
from bitfold.quant.lsq import LEAST_STEP

MOST_MOVE = 0.5  # of a step, by one batch


def steps_in(model: nn.Module) -> list[nn.Parameter]:
    """The learned steps of all quantisers."""
    found = []
    for module in model.modules():
        if isinstance(module, LSQ):
            found.append(module.steps)
        elif isinstance(module, Planes):
            found.append(module.step)
    return found


@torch.no_grad()
def limit(steps: Sequence[nn.Parameter], lr: float, momentum: float) -> None:
    """Limit the gradients of `steps`, in place. `lr`: their greatest learning rate in the phase.

    SGD moves a parameter by lr / (1 - momentum) times a gradient, over time.
    """
    pairs = [(step.detach(), step.grad) for step in steps if step.grad is not None]
    if pairs:
        gradients = [gradient for _, gradient in pairs]
        most = torch._foreach_abs([step for step, _ in pairs])
        torch._foreach_clamp_min_(most, LEAST_STEP)
        torch._foreach_mul_(most, MOST_MOVE * (1 - momentum) / lr)
        torch._foreach_minimum_(gradients, most)
        torch._foreach_maximum_(gradients, torch._foreach_neg(most))
