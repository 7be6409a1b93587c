"""Weights as trained bit planes, in front of a plain layer.

BSQ, as the authors' code has it: per layer, planes W_p of the positive and W_n of the negative
weights, one per magnitude bit b, floats in [0, 2]; W = s / (2^n - 1) * round(sum_b (W_p - W_n) 2^b)
clipped to the range, straight-through on round and clip; s starts at max |W| and is trained.

Differs, for hardware: n starts at 7 where the authors have 8, because two's complement stores the
sign too (they count no sign). Differs, because theirs changes the layer at re-quantisation: the
range is that of all planes even where fewer are in use, so that what overflows is not clipped
before it gets its plane.

Ours: the layer keeps `step` = s / (2^n - 1), the value of the lowest bit, and its gradient is
scaled so that descent on it is descent on the authors' s. Then s needs no rescaling when n changes,
and the weights stay the same to the last bit.
"""

from typing import Any, final

import torch
from torch import Tensor, nn

from bitfold.quant.function import apply
from bitfold.quant.lsq import LEAST_STEP


def compose(positive: Tensor, negative: Tensor, powers: Tensor) -> Tensor:
    """Sum of the planes times their powers, not rounded. (planes, *w) twice -> (*w)."""
    # Not in bfloat16, which has no room for the codes.
    with torch.autocast(positive.device.type, enabled=False):
        flat = powers @ positive.flatten(1) - powers @ negative.flatten(1)
    return flat.reshape(positive.shape[1:])


def digits(whole: Tensor, planes: int) -> tuple[Tensor, Tensor]:
    """Integers below 2^planes as exact 0/1 planes (positive, negative). (*w) -> (planes, *w)."""
    places = torch.arange(planes, dtype=torch.int32, device=whole.device)
    found = (whole.abs().int() >> places.reshape(-1, *[1] * whole.ndim)) & 1
    return (found * (whole > 0)).float(), (found * (whole < 0)).float()


class _Weight(torch.autograd.Function):
    """W = step * clamp(round(sum of planes)); nothing of the gradient is masked."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd functions take no keywords
        ctx: Any, positive: Tensor, negative: Tensor, step: Tensor, powers: Tensor, levels: Tensor
    ) -> Tensor:
        most = 2 ** len(powers) - 1
        whole = compose(positive, negative, powers).round_().clamp_(-most, most)
        ctx.save_for_backward(whole, step, powers, levels)
        return whole * step

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        whole, step, powers, levels = ctx.saved_tensors
        slopes = (step * powers).reshape(-1, *[1] * grad.ndim)
        to_step = (grad * whole).sum() / levels.square()
        return slopes * grad, -slopes * grad, to_step, None, None


@final
class BitPlanes(nn.Module):
    """Parametrisation of a weight by (W_p, W_n, step), the lowest `bits` planes in use.

    Planes have the shape (planes, *weight) for good; those not in use are zero and stay so.
    """

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes
        self.bits = nn.Buffer(torch.zeros((), dtype=torch.int64))  # n: magnitude bits in use
        self.levels = nn.Buffer(torch.zeros(()))  # 2^n - 1
        self.powers = nn.Buffer(torch.zeros(planes))  # 2^b of the planes in use, 0 of the others
        self.use(planes)

    @torch.no_grad()
    def use(self, bits: int) -> None:
        """Use the lowest `bits` planes from now on."""
        self.bits.fill_(bits)
        self.levels.fill_(2**bits - 1)
        places = torch.arange(self.planes, device=self.powers.device)
        self.powers.copy_(torch.where(places < bits, 2.0**places, 0.0))

    def forward(self, positive: Tensor, negative: Tensor, step: Tensor) -> Tensor:
        """(planes, *w) twice and a scalar -> the weight (*w), on the grid of the step."""
        return apply(_Weight, positive, negative, step, self.powers, self.levels)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Exact digits of a weight in all planes; its largest magnitude takes the largest code."""
        most = 2**self.planes - 1
        step = (weight.abs().max() / most).clamp(min=LEAST_STEP)
        whole = (weight / step).round().clamp(-most, most)
        return *digits(whole, self.planes), step
