"""The network of the finetuning and of inference: one set of weights, a mode for each input.

A mode lowers the plane counts of layers; it has its own norms and biases, which become thresholds
in hardware, and nothing else of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from bitfold.policy import LayerBits
from bitfold.quant import processes
from bitfold.quant.truncate import Planes
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.grids import grids_in
from bitfold.search.dqmq.relax import straight_through
from bitfold.search.parallel import slices

LEAST_GROUP = 8  # inputs a training pass of a mode has, for the statistics of its norms
STORED_EVERY = 8  # one training input in so many runs at the stored precision


@final
@dataclass(frozen=True, kw_only=True)
class Start:
    """What a layer starts finetuning with; steps are of the stored precision, None means LSQ's."""

    norms: Sequence[nn.Module | None]  # by mode
    biases: Sequence[Tensor | None]  # by mode
    bits: Sequence[LayerBits]  # by mode
    w_step: float | None
    a_step: float | None
    signed: bool  # whether activations may be negative


@final
class PlaneLayer(nn.Module):
    """A convolution or dense layer with its norm, stored once, run at the mode's plane counts."""

    def __init__(self, layer: nn.Module, start: Start) -> None:
        super().__init__()
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        self.layer, self.bits, self.mode = layer, tuple(start.bits), 0
        self.rows: int | None = None  # inputs of all processes in this pass; None: those it sees
        layer.bias = None
        self.weight_planes = Planes(max(b.w_bits for b in self.bits), signed=True)
        self.act_planes = Planes(max(b.a_bits for b in self.bits), signed=start.signed)
        if start.w_step is None:
            self.weight_planes.start_from(layer.weight.detach())
        else:
            self.weight_planes.start_at(start.w_step)
        if start.a_step is not None:
            self.act_planes.start_at(start.a_step)
        biases = [b for b in start.biases if b is not None]
        self.biases = nn.ParameterList(nn.Parameter(b.detach().clone()) for b in biases)
        self.norms = nn.ModuleList(n for n in start.norms if n is not None)

    @property
    def stored(self) -> LayerBits:
        """The precision that weights are stored, and activations made, at."""
        return LayerBits(w_bits=self.weight_planes.bits, a_bits=self.act_planes.bits)

    def bias(self) -> Tensor | None:
        """The mode's bias on the grid of its accumulators, straight-through. Shape (outputs,)."""
        if not self.biases:
            return None
        bits = self.bits[self.mode]
        unit = self.weight_planes.scale(bits.w_bits) * self.act_planes.scale(bits.a_bits)
        bias: Tensor = self.biases[self.mode]
        return straight_through(bias, torch.round(bias.detach() / unit) * unit)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, inputs...) -> (N, outputs...)."""
        layer, bits = self.layer, self.bits[self.mode]
        self.act_planes.start_from_activations(x)
        x = self.act_planes(x, bits.a_bits, self.rows)
        weight = self.weight_planes(layer.weight, bits.w_bits)
        if isinstance(layer, nn.Linear):
            y = linear(x, weight, self.bias())
        else:
            assert isinstance(layer, nn.Conv2d)
            y = conv2d(
                x, weight, self.bias(), layer.stride, layer.padding, layer.dilation, layer.groups
            )
        if self.norms:
            y = self.norms[self.mode](y)
        return y


@final
class ModePolicy(nn.Module):
    """Scores of the modes for an image; the mode with the greatest score runs."""

    def __init__(self, decision: Decision, hot: Tensor, offsets: Tensor) -> None:
        """hot (layers * candidates, modes) picks a mode's bits; offsets (modes,) are its price."""
        super().__init__()
        self.decision = decision.eval()
        for parameter in decision.parameters():
            parameter.requires_grad_(False)
        self.hot, self.offsets = nn.Buffer(hot), nn.Buffer(offsets)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> (N, modes)."""
        log_p: Tensor = self.decision(x)
        return log_p.flatten(1) @ self.hot - self.offsets


@final
class DynamicNet(nn.Module):
    """Runs every input in the mode that the policy picks; the choice itself is not trained.

    modes: bits of the searched layers, cheapest first, by layer name. The last entry is the stored
    precision where no mode equals it; the policy does not pick that one (`picked` says how many it
    picks among), but it is trained too, since model.onnx holds it.
    """

    def __init__(
        self, body: nn.Module, policy: ModePolicy, layers: dict[str, PlaneLayer], modes: int
    ) -> None:
        super().__init__()
        self.body, self.policy = body, policy
        self.names, self.modes = tuple(layers), modes
        self.picked = len(policy.offsets)

    def layer(self, name: str) -> PlaneLayer:
        """A layer by the name it has in the body."""
        found = self.body.get_submodule(name)
        assert isinstance(found, PlaneLayer)
        return found

    def bits(self, mode: int) -> dict[str, LayerBits]:
        """Bits of every layer in a mode."""
        return {name: self.layer(name).bits[mode] for name in self.names}

    @property
    def stored(self) -> int:
        """The mode that runs every layer at its stored precision."""
        best = {name: self.layer(name).stored for name in self.names}
        return next(m for m in reversed(range(self.modes)) if self.bits(m) == best)

    @torch.no_grad()
    def choose(self, x: Tensor, *, per_batch: bool = False) -> Tensor:
        """Mode of each input, or one for all of them by their mean scores. (N, ...) -> (N,)"""
        scores: Tensor = self.policy(x)
        if per_batch:
            scores = scores.mean(0, keepdim=True).expand_as(scores)
        return scores.argmax(1)

    def run(self, x: Tensor, mode: int, rows: int | None = None) -> Tensor:
        """All of x in one mode. (N, ...) -> (N, classes)

        rows: N summed over the processes, where x is a part of what they run together.
        """
        for name in self.names:
            layer = self.layer(name)
            layer.mode, layer.rows = mode, rows
        for grid in grids_in(self.body).values():
            grid.rows = rows
        result: Tensor = self.body(x)
        return result

    def forward(self, x: Tensor) -> Tensor:
        """Each input in its own mode. (N, C, H, W) -> (N, classes)"""
        modes, first = self.choose(x), 0
        if self.training and slices() > 1:
            modes, first = processes.gather(modes).flatten(), processes.rank() * len(x)
        if self.training and self.modes > self.picked:
            modes[::STORED_EVERY] = self.modes - 1
        return self.grouped(x, modes, first)

    def grouped(self, x: Tensor, modes: Tensor, first: int = 0) -> Tensor:
        """Inputs in the modes given, each mode's together. (N, ...), (M,) -> (N, classes)

        `modes` may be of more inputs than x: of those of all processes, where x are the N from
        `first` on. Every process runs every mode that any input is in, maybe without inputs, since
        norms are over all.
        """
        parts, rows = [], []
        for mode in range(self.modes):
            mine = (modes == mode).nonzero().flatten()
            if len(mine):
                others = (modes != mode).nonzero().flatten()
                short = max(0, LEAST_GROUP - len(mine)) if self.training else 0
                taken = torch.cat([mine, others[:short]])
                here, own = (_within(each, first, len(x)) for each in (taken, mine))
                parts.append(self.run(x[here], mode, len(taken))[: len(own)])
                rows.append(own)
        return torch.cat(parts)[torch.cat(rows).argsort()]

    def train(self, mode: bool = True) -> "DynamicNet":
        """The policy stays in evaluation."""
        super().train(mode)
        self.policy.eval()
        return self


def _within(rows: Tensor, first: int, count: int) -> Tensor:
    """Those of `rows` among the `count` from `first` on, counted from there; order kept."""
    rows = rows - first
    return rows[(rows >= 0) & (rows < count)]
