"""Steps of least squared error, for quantisers that are not trained."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bitfold.quant.lsq import LEAST_STEP, LSQ, bounds

TRIED = 64  # steps, evenly up to the one that clips nothing
ELEMENTS = 1 << 16  # of a tensor that are looked at, evenly apart


@torch.no_grad()
def least_error_steps(x: Tensor, bits: Sequence[int], *, signed: bool) -> Tensor:
    """The step at which quantising x (any shape) errs least, for each width. Shape (widths,)."""
    flat = x.flatten()
    flat = flat[:: -(-len(flat) // ELEMENTS)]
    share = torch.arange(1, TRIED + 1, device=x.device, dtype=x.dtype)[:, None] / TRIED
    found = []
    for width in bits:
        low, high = bounds(width, signed=signed)
        steps = (share * flat.abs().max() / high).clamp(min=LEAST_STEP)
        error = ((flat / steps).round().clamp(low, high) * steps - flat).square().mean(1)
        found.append(steps[error.argmin(), 0])
    return torch.stack(found)


@torch.no_grad()
def calibrate(quantiser: LSQ, x: Tensor) -> None:
    """Set the steps of all candidates to those of least error on x."""
    quantiser.steps.copy_(least_error_steps(x, quantiser.bits, signed=quantiser.signed))
    quantiser.started.fill_(True)
