"""LSQ: a uniform quantiser whose step is learned, one step per bit-width.

Esser et al., Learned Step Size Quantization, ICLR 2020, arXiv:1902.08153, Eq. 1-3 and Sec. 2.2;
initial weight steps after LSQ+ (Bhalgat et al. 2020). The gradient is the closed form of Eq. 3 in
one autograd function, because a chain of element-wise operations costs several times as much.

Weights of one bit are bipolar, step * sign, as in XNOR-Net (Rastegari et al., ECCV 2016), with the
step learned: two's complement has no such case, and hardware and QONNX have a bipolar type.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, final

import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.quant import processes
from bitfold.quant.function import apply

LEAST_STEP = 1e-5
HALFWAY = 0.5**0.5  # between 1/2 and 1 on a logarithmic scale


BIPOLAR_REACH = 2.0  # steps from zero up to which a bipolar weight has a gradient


def bounds(bits: int, *, signed: bool) -> tuple[int, int]:
    """Smallest and largest integer: two's complement if signed, else 0..2^bits - 1.

    Signed integers of one bit are bipolar: -1 and +1, and nothing between.
    """
    if signed and bits == 1:
        return -1, 1
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


class _Quantise(torch.autograd.Function):
    """y = step * clamp(round(x / step), low, high), straight-through on round."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd functions take no keywords
        ctx: Any, x: Tensor, step: Tensor, low: int, high: int, scale: float
    ) -> Tensor:
        ratio = x / step
        whole = ratio.round().clamp_(low, high)
        ctx.save_for_backward(ratio, whole)
        ctx.low, ctx.high, ctx.scale = low, high, scale
        return whole * step

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None, None, None, None]:
        (grad,) = grads
        ratio, whole = ctx.saved_tensors
        inside = (ratio >= ctx.low) & (ratio <= ctx.high)
        if not ctx.needs_input_grad[1]:
            return grad * inside, None, None, None, None
        to_step = (grad * (whole - torch.where(inside, ratio, 0.0))).sum() * ctx.scale
        return grad * inside, to_step.reshape(()), None, None, None


class _Binarise(torch.autograd.Function):
    """y = step * sign(x), sign(0) = 1; straight-through on sign within BIPOLAR_REACH steps.

    The derivative by the step is the sign itself: unlike a rounding, a sign does not depend on the
    step. The reach is the outer edge of the two cells (each two steps wide); clipping at one step,
    as is usual where steps are 1, would freeze 4 in 10 normally distributed weights at step E|x|.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, scale: float) -> Tensor:
        whole = signs(x)
        ctx.save_for_backward(x.abs() <= BIPOLAR_REACH * step, whole)
        ctx.scale = scale
        return whole * step

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,) = grads
        inside, whole = ctx.saved_tensors
        return grad * inside, ((grad * whole).sum() * ctx.scale).reshape(()), None


def signs(x: Tensor) -> Tensor:
    """-1 or +1 of x's shape and type; zero is +1, as in QONNX BipolarQuant, and NaN stays NaN."""
    return torch.where(x >= 0, 1.0, torch.where(x < 0, -1.0, x))


class _AtLeast(torch.autograd.Function):
    """clamp(x, min=least), whose gradient also passes below where a descent leads back up.

    A clamp's own gradient is zero there: one large step would end the learning for good.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, least: float) -> Tensor:
        ctx.save_for_backward(x < least)
        return x.clamp(min=least)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        (below,) = ctx.saved_tensors
        return torch.where(below, grad.clamp(max=0), grad), None


def at_least(x: Tensor, least: float) -> Tensor:
    """`x`, or `least` where that is more; x below `least` still learns to rise. Shape of x."""
    return apply(_AtLeast, x, least)


def codes(x: Tensor, step: Tensor, bits: int, *, signed: bool) -> Tensor:
    """The integers that `quantise` multiplies with `step`, held in x's type. Shape of x."""
    if signed and bits == 1:
        return signs(x)
    low, high = bounds(bits, signed=signed)
    return (x / step).round().clamp(low, high)


def quantise(
    x: Tensor, step: Tensor, bits: int, *, signed: bool, rows: int | None = None
) -> Tensor:
    """Quantise x (any shape) to `bits` with the scalar `step`; same shape and real scale.

    The gradient of the step is scaled by 1 / sqrt(high * numel), as in LSQ Sec. 2.2, where numel
    is that of the whole batch: of `rows` rows, if x is a part of it. In float32 at least.
    """
    low, high = bounds(bits, signed=signed)
    numel = x.numel() if rows is None else rows * prod(x.shape[1:])
    scale = float((high * numel) ** -0.5)
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    if signed and bits == 1:
        return apply(_Binarise, x, step, scale)
    return apply(_Quantise, x, step, low, high, scale)


def nearest_power_of_two(step: Tensor) -> Tensor:
    """The power of two nearest to `step` (> 0) in the logarithm; straight-through gradient."""
    mantissa, exponent = torch.frexp(step.detach())
    exponent = exponent - (mantissa < HALFWAY).to(exponent.dtype)
    whole = torch.ldexp(torch.ones_like(step), exponent)
    # A quotient, not a sum: the value is then exactly `whole`.
    return whole * (step / step.detach())


@final
class LSQ(nn.Module):
    """One tensor's quantiser with a learned step for each of its candidate bit-widths.

    Call it as Brevitas calls a `tensor_quant`: it returns (value, scale, zero point, bit width).
    `select` chooses the candidate; a quantiser with one candidate is an ordinary LSQ quantiser.
    Weight steps are set by `start_from`; activation steps at the first training batch they see.
    With `power_of_two` the step in use is the learned one, rounded to a power of two: then sums
    of values are exact in floating point, in whatever order they are added.
    """

    def __init__(
        self,
        bits: Sequence[int],
        *,
        signed: bool,
        most_step: float | None = None,
        power_of_two: bool = False,
    ) -> None:
        super().__init__()
        least = 1 if signed else 2  # the export of a 1-bit ReLU is silently wrong in Brevitas
        if not bits or any(not least <= b <= 8 for b in bits):
            kind = "weights" if signed else "activations"
            raise ConfigError(f"bit-widths of {kind} must lie in {least}..8, got {list(bits)}")
        self.bits, self.signed, self.most_step = tuple(bits), signed, most_step
        self.power_of_two = power_of_two
        self.index = 0
        self.of_batch = False  # what it quantises is this process's slice of a batch
        self.steps = nn.Parameter(torch.ones(len(self.bits)))
        self.started = nn.Buffer(torch.zeros(len(self.bits), dtype=torch.bool))
        self.zero = nn.Buffer(torch.zeros(()), persistent=False)
        self.widths = nn.Buffer(torch.tensor(self.bits, dtype=torch.float32), persistent=False)

    def select(self, bits: int) -> None:
        """Quantise to `bits` from now on; must be one of the candidates."""
        self.index = self.bits.index(bits)

    def step(self) -> Tensor:
        """Step of the selected candidate, clamped into its allowed range. Shape ()."""
        step = at_least(self.steps[self.index], LEAST_STEP)
        if self.most_step is not None:
            step = step.clamp(max=self.most_step)
        return nearest_power_of_two(step) if self.power_of_two else step

    @torch.no_grad()
    def start_from(self, weight: Tensor) -> None:
        """Initial weight steps: max |mean +- 3 std| / 2^(bits-1), for every candidate.

        Of one bit mean |weight|, the least squares solution for signs.
        """
        reach = weight.mean().abs() + 3 * weight.std()
        for i, bits in enumerate(self.bits):
            step = weight.abs().mean() if bits == 1 else reach / 2 ** (bits - 1)
            self.steps[i] = step.clamp(min=LEAST_STEP)
        self.started.fill_(True)

    @torch.no_grad()
    def start_at(self, step: float) -> None:
        """Set the step of a quantiser with one candidate, as a search has learned it."""
        self.steps.fill_(max(step, LEAST_STEP))
        self.started.fill_(True)

    @torch.no_grad()
    def codes(self, x: Tensor) -> Tensor:
        """Integers of x at the selected candidate, held in x's type. Shape of x."""
        return codes(x, self.step(), self.bits[self.index], signed=self.signed)

    @torch.no_grad()
    def _start_from_activations(self, x: Tensor) -> None:
        _, high = bounds(self.bits[self.index], signed=self.signed)
        mean = processes.mean_magnitude(x.to(self.steps.dtype))
        self.steps[self.index] = (2 * mean / high**0.5).clamp(min=LEAST_STEP)
        self.started[self.index] = True

    def forward(self, x: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return (quantised x, step, zero point 0, bit width); all but the first are scalars.

        `rows` as in `quantise`; None: x is a batch, or this process's slice of one.
        """
        if self.training and not self.started[self.index]:
            self._start_from_activations(x)
        step = self.step()
        if rows is None and self.of_batch:
            rows = len(x) * processes.count()
        value = quantise(x, step, self.bits[self.index], signed=self.signed, rows=rows)
        return value, step, self.zero, self.widths[self.index]
