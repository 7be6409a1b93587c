"""The network of the search phase: every layer computes all candidates, a draw picks one.

The choice is made once, at the network's input, and every layer reads its row of it: so the model
keeps its shape, and a plain `model(x)` runs with bits that depend on x.
"""

from collections.abc import Sequence
from typing import Literal, final

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from bitfold.quant import Layer
from bitfold.quant.convert import swap
from bitfold.quant.truncate import Planes
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.relax import Estimator, choices, most_likely, uniform_choices
from bitfold.search.parallel import slices


@final
class Choice:
    """The choice of the pass that is running, as the layers read it.

    log_p and weights have shape (N, layers, candidates).
    """

    def __init__(self) -> None:
        self.log_p = self.weights = torch.empty(0)


@final
class Decide(nn.Module):
    """Stands at the network's input and lets it through; on the way the policy decides.

    In training `how` says what is drawn: "uniform" (warm-up) or the policy's estimator. In
    evaluation the most likely bits are taken.
    """

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision
        self.choice = Choice()
        self.how: Estimator | Literal["uniform"] = "uniform"
        self.tau = 1.0

    def forward(self, x: Tensor) -> Tensor:
        """The identity on x (N, C, H, W); sets `choice`."""
        log_p = self.decision(x)
        if not self.training:
            weights = most_likely(log_p)
        elif self.how == "uniform":
            weights = uniform_choices(log_p)
        else:
            weights = choices(log_p, self.how, self.tau)
        self.choice.log_p, self.choice.weights = log_p, weights
        return x


@final
class MixedLayer(nn.Module):
    """A convolution or dense layer with its norm, at bits that differ between the inputs.

    Weights and activations have one stored precision, the greatest candidate, and lose planes; a
    layer's weights and activations share their bits. Each candidate has its own copy of norm and
    bias, because it has its own statistics. `signed`: whether activations may be negative.
    """

    def __init__(
        self,
        layer: nn.Module,
        *,
        norm: nn.Module | None,
        bits: Sequence[int],
        choice: Choice,
        row: int,
        signed: bool,
    ) -> None:
        super().__init__()
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        self.layer, self.bits, self.choice, self.row = layer, tuple(bits), choice, row
        self.weight_planes = Planes(bits[-1], signed=True)
        self.weight_planes.start_from(layer.weight.detach())
        self.act_planes = Planes(bits[-1], signed=signed)
        self.bias = None
        if layer.bias is not None:
            self.bias = nn.Parameter(layer.bias.detach().repeat(len(bits)))
            layer.bias = None
        self.norm = None if norm is None else stacked_norm(norm, len(bits))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, inputs...) -> (N, outputs...)."""
        weights = self.choice.weights[:, self.row]
        self.act_planes.start_from_activations(x)
        rows = len(x) * slices()
        acts = torch.stack([self.act_planes(x, keep, rows) for keep in self.bits], 1)
        y = self._candidates(_mix(acts, weights))
        if self.bias is not None:
            y = y + self.bias.reshape(-1, *[1] * (y.ndim - 2))
        if self.norm is not None:
            y = self.norm(y)
        return _mix(y.reshape(len(y), len(self.bits), -1, *y.shape[2:]), weights)

    def _candidates(self, x: Tensor) -> Tensor:
        """Outputs of all candidates, one candidate after the other. (N, candidates * outputs...)"""
        layer = self.layer
        stack = torch.stack([self.weight_planes(layer.weight, keep) for keep in self.bits])
        if isinstance(layer, nn.Linear):
            return linear(x, stack.flatten(0, 1))
        assert isinstance(layer, nn.Conv2d)
        # A grouped convolution wants the outputs of a group side by side.
        count, groups = len(self.bits), layer.groups
        weight = stack.reshape(count, groups, -1, *stack.shape[2:]).transpose(0, 1).flatten(0, 2)
        y = conv2d(x, weight, None, layer.stride, layer.padding, layer.dilation, groups)
        return y.reshape(len(y), groups, count, -1, *y.shape[2:]).transpose(1, 2).flatten(1, 3)


def make_mixed(
    model: nn.Module, layers: Sequence[Layer], feeder: str, bits: Sequence[int], decision: Decision
) -> Decide:
    """Swap the listed layers of a float model, in place; `feeder` is the module at its input."""
    decide = Decide(decision)
    swap(model, feeder, decide)
    for row, layer in enumerate(layers):
        norm = model.get_submodule(layer.norm) if layer.norm is not None else None
        plain = model.get_submodule(layer.name)
        mixed = MixedLayer(
            plain, norm=norm, bits=bits, choice=decide.choice, row=row, signed=layer.signed
        )
        swap(model, layer.name, mixed)
        if layer.norm is not None:
            swap(model, layer.norm, nn.Identity())
    return decide


def stacked_norm(norm: nn.Module, count: int) -> nn.BatchNorm1d | nn.BatchNorm2d:
    """`count` copies of a BatchNorm as one over count * channels."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    made = type(norm)(norm.num_features * count, norm.eps, norm.momentum)
    made.load_state_dict(
        {name: v.repeat(count) if v.ndim else v for name, v in norm.state_dict().items()}
    )
    return made


def slice_norm(norm: nn.Module, count: int, index: int) -> nn.BatchNorm1d | nn.BatchNorm2d:
    """Copy `index` of the `count` that `stacked_norm` joined."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    made = type(norm)(norm.num_features // count, norm.eps, norm.momentum)
    made.load_state_dict(
        {n: v.chunk(count)[index].clone() if v.ndim else v for n, v in norm.state_dict().items()}
    )
    return made


def _mix(x: Tensor, weights: Tensor) -> Tensor:
    """Sum over candidates. x (N, candidates, ...), weights (N, candidates) -> (N, ...)."""
    return (x * weights.reshape(*weights.shape, *[1] * (x.ndim - 2))).sum(1)
