"""Entropy-aware bin regularisation (EBR): pull the weights of each bin onto its level.

Certain (SDQ, Fig. 1): the second phase has it, next to distillation. Second-hand: lambda_E = 0.1.
The formula is a reconstruction: bin regularisation (Han et al., ICCV 2021), per layer at its own
width,

    lambda_E sum_bins (mean(bin) - level)^2 + Var(bin),

on entropy-preserving weights as in the same authors' group's N2UQ: those of an output channel
divided by gamma_b mean|w|, gamma_b = (2^b - 1) / 2^(b-1), under which normally distributed weights
spread about evenly over the levels. Bins are the current integers, without a gradient; an empty bin
adds nothing, and one of a single weight has no variance. With the variance of the population a
bin's term is the mean of (w - level)^2 over its members, which is how it is computed.

Differs, and must: a bin of m weights pulls each with the curvature 2 lambda_E / (m unit^2). Where m
and the unit are small a step of gradient descent overshoots, and the weights diverge. The curvature
is therefore bounded by STIFFEST. Levels get no gradient: the step belongs to the task loss.
"""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from bitfold.quant import QuantisedLayer
from bitfold.quant.lsq import bounds, codes
from bitfold.search.hooks import Hooks

# Gradient descent with Nesterov momentum m is stable at learning rate r and curvature c where
# r c < 2 (1 + m) / (1 + 2 m): with c = 1 and m = 0.9 up to a rate of 1.35.
STIFFEST = 1.0
LEAST_UNIT = 1e-5  # of a channel whose weights are all zero


@final
class BinRegularisation(Hooks):
    """Adds EBR to the finetuning of the layers in `handles`."""

    def __init__(
        self, handles: Sequence[QuantisedLayer], *, strength: float, warmup: float
    ) -> None:
        """`strength` is lambda_E; it rises as a cosine after the share `warmup` of the phase."""
        self.handles, self.strength, self.warmup = tuple(handles), strength, warmup
        self.steps, self.now = 1, 0.0

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """Learn how long the phase is."""
        self.steps = steps

    def before_step(self, model: nn.Module, step: int) -> None:
        """Set the strength of this step."""
        self.now = self.strength * ramp(step / self.steps, self.warmup)

    def penalty(self, model: nn.Module) -> Tensor | None:
        """Sum over layers and bins."""
        if not self.now:
            return None
        parts = [
            bin_penalty(
                model.get_submodule(handle.layer.name).get_parameter("weight"),
                handle.weight.step(),
                handle.weight.bits[handle.weight.index],
                self.now,
            )
            for handle in self.handles
        ]
        return torch.stack(parts).sum() if parts else None


def ramp(progress: float, warmup: float) -> float:
    """Share of the strength at `progress` (0..1) of the phase: 0 up to `warmup`, 1 at the end."""
    if progress <= warmup:
        return 0.0
    return (1 - math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


def bin_penalty(weight: Tensor, step: Tensor, bits: int, strength: float) -> Tensor:
    """EBR of one layer. weight (outputs, ...), scalar step -> shape ()."""
    flat = weight.flatten(1)
    with torch.no_grad():
        whole = codes(flat, step, bits, signed=True)
        low, high = bounds(bits, signed=True)
        index = (whole - low).long()
        counts = torch.bincount(index.flatten(), minlength=high - low + 1)
        unit = spread(bits) * flat.abs().mean(1, keepdim=True).clamp(min=LEAST_UNIT)
        share = (strength / (counts[index] * unit.square())).clamp(max=STIFFEST / 2)
        levels = whole * step
    return (share * (flat - levels).square()).sum()


def spread(bits: int) -> float:
    """gamma_b: the range that keeps entropy, over the mean magnitude of the weights."""
    return float((2**bits - 1) / 2 ** (bits - 1))
