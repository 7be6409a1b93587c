"""Weights as sums of gated bits, in front of a plain layer.

CSQ (arXiv:2212.02770), as the authors' code has it: f(m) = sigmoid(temperature * m) gates logits
m_p, m_n of every bit of every weight, and mask logits m_B of every bit of the layer;
W = s * sum_b [f(m_p) - f(m_n)] f(m_B) e_b with e_b = 2^b / (2^N - 1). No rounding, nothing
straight-through. A mask is on where m_B >= 0. The authors start from bits as logits 0 or 1.

Differs: e_b is constant (there it is trained and decays, which leaves the fixed-point grid); a
layer keeps one bit at least. Ours: "symmetric" bits start at +margin or -margin; s stays positive;
soft masks stay within ALIVE / temperature of the threshold; the last gates are decided
(`schedule`).

One autograd function, because a chain of element-wise operations on N copies of the weights costs
several times as much; it keeps one copy of the gates for the backward pass, and no activations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bitfold.quant import Layer
from bitfold.quant.function import apply
from bitfold.quant.lsq import LEAST_STEP

Start = Literal["symmetric", "official"]

ALIVE = 5.0  # |temperature * m_B| up to which a soft mask may go
STEP = 104.0  # |temperature * m| from which a gate is 0 or 1 in float32
PLANES = 7  # magnitude bits at the start, the most that hardware stores beside the sign


class _Compose(torch.autograd.Function):
    """W = step * sum_b powers_b * mask_b * (p_b - n_b), (p, n) = sigmoid(temperature * logits)."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd functions take no keywords
        ctx: Any, logits: Tensor, mask: Tensor, step: Tensor, powers: Tensor, temperature: Tensor
    ) -> Tensor:
        with torch.autocast(logits.device.type, enabled=False):  # else bfloat16 rounds the codes
            gates = (logits * temperature).sigmoid_()
            codes = _sum(gates, mask * powers)
        ctx.save_for_backward(gates, codes, mask, step, powers, temperature)
        return codes * step

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        gates, codes, mask, step, powers, temperature = ctx.saved_tensors
        to_mask = step * powers * ((gates[0] - gates[1]).flatten(1) @ grad.flatten())
        slopes = torch.addcmul(gates, gates, gates, value=-1)  # gates * (1 - gates)
        factors = step * temperature * mask * powers
        slopes *= torch.stack([factors, -factors]).reshape(2, -1, *[1] * grad.ndim)
        return slopes.mul_(grad), to_mask, (grad * codes).sum(), None, None


def _sum(gates: Tensor, weights: Tensor) -> Tensor:
    """Sum over bits of weight * (positive - negative). (2, bits, *w), (bits,) -> (*w)."""
    flat = torch.cat([weights, -weights]) @ gates.reshape(2 * len(weights), -1)
    return flat.reshape(gates.shape[2:])


@final
class Gates(nn.Module):
    """Parametrisation: bit logits, positive and negative, (2, bits, *w) -> weights (*w).

    Holds what the bits of a layer share. Register it with `gate`.
    """

    def __init__(self, weight: Tensor, bits: int, start: Start, margin: float) -> None:
        super().__init__()
        self.start: Start = start
        self.margin = margin
        self.levels = 2**bits - 1
        most = weight.detach().abs().max().clamp(min=LEAST_STEP * self.levels)
        self.scale = nn.Parameter(most)  # value of all bits together: s
        self.mask_logits = nn.Parameter(weight.new_zeros(bits))
        powers = 2 ** torch.arange(bits, device=weight.device)
        self.powers = nn.Buffer(powers.to(weight.dtype), persistent=False)
        self.temperature = nn.Buffer(weight.new_ones(()))
        self.frozen = nn.Buffer(torch.zeros((), dtype=torch.bool, device=weight.device))

    def step(self) -> Tensor:
        """Value of the lowest bit. Shape ()."""
        step: Tensor = self.scale / self.levels
        return step

    def kept(self) -> Tensor:
        """Bits whose mask is on. Shape (bits,), bool; at least one after `bound`."""
        return self.mask_logits.detach() >= 0

    def soft_mask(self) -> Tensor:
        """f(m_B), in 0..1. Shape (bits,)."""
        return torch.sigmoid(self.mask_logits * self.temperature)

    def mask(self) -> Tensor:
        """The mask that weighs the bits now: soft, or once frozen 0 and 1. Shape (bits,)."""
        return torch.where(self.frozen, self.kept().to(self.powers.dtype), self.soft_mask())

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Logits of the digits of weights that are rounded to multiples of the step."""
        whole = (weight / self.step()).round()
        signed = torch.stack([whole, -whole]).clamp_(0, self.levels).long()
        places = torch.arange(len(self.powers), device=weight.device)
        found = (signed[:, None] >> places.reshape(-1, *[1] * weight.ndim)) & 1
        digits = found.to(weight.dtype)
        return digits if self.start == "official" else (2 * digits - 1) * self.margin

    def forward(self, logits: Tensor) -> Tensor:
        """Weights at the present temperature."""
        mask, step = self.mask(), self.step()
        return apply(_Compose, logits, mask, step, self.powers, self.temperature)

    @torch.no_grad()
    def soft_codes(self, logits: Tensor) -> Tensor:
        """Weights in steps at the present temperature. (2, bits, *w) -> (*w)."""
        return _sum(torch.sigmoid(logits * self.temperature), self.mask() * self.powers)

    @torch.no_grad()
    def hard_codes(self, logits: Tensor) -> Tensor:
        """Integer weights once every gate is a step. (2, bits, *w) -> (*w), int64."""
        bits = (logits > 0).to(self.powers.dtype)
        return _sum(bits, self.kept().to(self.powers.dtype) * self.powers).round().long()

    @torch.no_grad()
    def bound(self, *, masks: bool) -> None:
        """Keep the scale positive and, with `masks`, the greatest mask on and all of them alive.

        A mask far from zero has no gradient: decided early, it could not come back when the budget
        wants it. All masks a little below zero still work while they are soft, because a BatchNorm
        scales them up, and give a dead layer once they are steps.
        """
        self.scale.clamp_(min=LEAST_STEP * self.levels)
        if masks:
            logits = self.mask_logits
            logits.copy_(torch.clamp(logits, -ALIVE / self.temperature, ALIVE / self.temperature))
            greatest = logits == logits.max()
            logits.copy_(torch.where(greatest, logits.clamp(min=0), logits))


@final
@dataclass(frozen=True, eq=False)
class GatedLayer:
    """A searched layer whose weight is made of gates."""

    layer: Layer
    module: nn.Module
    gates: Gates

    @property
    def logits(self) -> nn.Parameter:
        """Bit logits, positive and negative. Shape (2, bits, *w)."""
        return self.module.get_parameter("parametrizations.weight.original")

    def hard_codes(self) -> Tensor:
        """Integer weights once every gate is a step, in steps of the gates. int64."""
        return self.gates.hard_codes(self.logits)

    @torch.no_grad()
    def decide(self, share: float) -> None:
        """Keep gates off the threshold, on the side on which they are; `share` 1: as steps."""
        least = share * STEP / self.gates.temperature
        away = self.logits.abs().clamp(min=least)
        self.logits.copy_(torch.where(self.logits > 0, away, -away))

    def moved(self) -> int:
        """How many integer weights change when every gate becomes a step."""
        soft = self.gates.soft_codes(self.logits)
        return int((soft.round().long() != self.hard_codes()).sum())


def gate(model: nn.Module, layer: Layer, start: Start, margin: float) -> GatedLayer:
    """Put gates in front of a plain layer of `model`, in place."""
    module = model.get_submodule(layer.name)
    gates = Gates(module.get_parameter("weight"), PLANES, start, margin)
    parametrize.register_parametrization(module, "weight", gates)
    return GatedLayer(layer, module, gates)


@torch.no_grad()
def restart(model: nn.Module, layers: Sequence[Layer], seed: int) -> None:
    """Draw the weights of `layers` anew, N(0, 2 / (k^2 outputs)) as the authors do, in place.

    Their biases are zero and their norms as new.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in layers:
        module = model.get_submodule(layer.name)
        weight = module.get_parameter("weight")
        std = (2 / (weight[0, 0].numel() * len(weight))) ** 0.5
        weight.copy_(torch.randn(weight.shape, generator=generator) * std)
        if module.bias is not None:
            module.get_parameter("bias").zero_()
        norm = model.get_submodule(layer.norm) if layer.norm is not None else None
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.reset_parameters()
