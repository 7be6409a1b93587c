"""A quantiser whose codes lose their least significant bit-planes: precision lowered at run time.

A value is stored once, as an integer of `bits` bits. At a lower precision the planes are read most
significant first and the last k are skipped, so that what remains is floor(code / 2^k), in units of
step * 2^k: an arithmetic shift of two's complement. It is what bit-serial hardware does when a
plane count is lowered, and no rounding to nearest. With k = 0 it is LSQ (quant/lsq.py); the
gradients are LSQ's, straight through the floor as well.
"""

from math import prod
from typing import Any, final

import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.quant import processes
from bitfold.quant.function import apply
from bitfold.quant.lsq import LEAST_STEP, at_least, bounds


class _Truncate(torch.autograd.Function):
    """y = step * 2^k * floor(clamp(round(x / step), low, high) / 2^k), straight-through."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd functions take no keywords
        ctx: Any, x: Tensor, step: Tensor, low: int, high: int, unit: int, scale: float
    ) -> Tensor:
        ratio = x / step
        # Floats hold these integers and their halves exactly.
        cut = (ratio.round().clamp_(low, high) / unit).floor_()
        ctx.save_for_backward(ratio, cut)
        ctx.low, ctx.high, ctx.unit, ctx.scale = low, high, unit, scale
        return cut * (step * unit)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        (grad,) = grads
        ratio, cut = ctx.saved_tensors
        inside = (ratio >= ctx.low) & (ratio <= ctx.high)
        by_step = cut * ctx.unit - torch.where(inside, ratio, 0.0)
        return grad * inside, (grad * by_step).sum().reshape(()) * ctx.scale, None, None, None, None


def truncate(
    x: Tensor, step: Tensor, bits: int, keep: int, *, signed: bool, rows: int | None = None
) -> Tensor:
    """Quantise x (any shape) to `bits` with the scalar `step`, and keep `keep` leading planes.

    Same shape and real scale. The step's gradient is scaled so that the step moves by as great a
    part of itself as LSQ's would at `keep` bits, whose step is 2^k times this one: by
    1 / sqrt(high of `keep` bits * numel(x)) / 4^k. Unscaled by k, few bits would tear it about.
    `rows` is the length of the whole batch of which x is a part; None: x is all of it.
    """
    low, high = bounds(bits, signed=signed)
    unit = 1 << (bits - keep)
    kept = max(1, bounds(keep, signed=signed)[1])
    numel = x.numel() if rows is None else rows * prod(x.shape[1:])
    scale = float((kept * numel) ** -0.5) / unit**2
    return apply(_Truncate, x, step, low, high, unit, scale)


@final
class Planes(nn.Module):
    """One tensor's quantiser: a learned step at `bits`, read at any lower precision.

    Weight steps are set by `start_from`; activation steps at the first training batch they see.
    """

    def __init__(self, bits: int, *, signed: bool) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise ConfigError(f"stored bits must lie in 2..8, got {bits}")
        self.bits, self.signed = bits, signed
        self.step = nn.Parameter(torch.ones(()))
        self.started = nn.Buffer(torch.zeros((), dtype=torch.bool))

    def value(self) -> Tensor:
        """The step in its allowed range. Shape ()."""
        return at_least(self.step, LEAST_STEP)

    @torch.no_grad()
    def start_at(self, step: float) -> None:
        """Set the step."""
        self.step.fill_(max(step, LEAST_STEP))
        self.started.fill_(True)

    @torch.no_grad()
    def start_from(self, weight: Tensor) -> None:
        """Initial step of weights: max |mean +- 3 std| / 2^(bits-1), as LSQ's."""
        self.start_at(float(weight.mean().abs() + 3 * weight.std()) / 2 ** (self.bits - 1))

    @torch.no_grad()
    def start_from_activations(self, x: Tensor) -> None:
        """Initial step of activations: 2 mean |x| / sqrt(high), as LSQ's; only the first time."""
        if self.training and not self.started:
            _, high = bounds(self.bits, signed=self.signed)
            self.start_at(float(2 * processes.mean_magnitude(x)) / high**0.5)

    def forward(self, x: Tensor, keep: int, rows: int | None = None) -> Tensor:
        """The reals of x with `keep` of its planes; same shape. `rows` as in `truncate`."""
        return truncate(x, self.value(), self.bits, keep, signed=self.signed, rows=rows)

    @torch.no_grad()
    def codes(self, x: Tensor, keep: int) -> Tensor:
        """The integers that `forward` stands for, in units of step * 2^(bits - keep); int64."""
        low, high = bounds(self.bits, signed=self.signed)
        whole = (x / self.value()).round().clamp(low, high).to(torch.int64)
        return whole >> (self.bits - keep)

    @torch.no_grad()
    def scale(self, keep: int) -> float:
        """Real value of one unit at `keep` planes."""
        return float(self.value()) * (1 << (self.bits - keep))
