"""One mode of a dynamic network as an ordinary quantised network, for QONNX and the compiler.

Truncation needs no operator of its own: floor(round(z / s) / 2^k) is the integer nearest to
(z - c) / (s 2^k) with c = s (2^k - 1) / 2, at every z that does not lie on a rounding boundary of
s. So a mode's activation quantiser is a plain one, with step s 2^k, behind a shift by -c, which
goes into the bias of the norm before it, or stands alone where that is not possible: at the
network's input. Truncated weights are integers times s 2^k already.
"""

import copy
from typing import final

import torch
from torch import Tensor, nn

from bitfold.quant import Layer, QuantisedLayer, quantise
from bitfold.quant.convert import swap
from bitfold.quant.settle import quantiser_of, settle_norms, settle_steps
from bitfold.search.dqmq.dynamic import DynamicNet, PlaneLayer
from bitfold.search.dqmq.grids import grids_in


@final
class Shift(nn.Module):
    """x + offset, with a constant offset."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = nn.Buffer(torch.tensor(offset))

    def forward(self, x: Tensor) -> Tensor:
        """Shape as x."""
        return x + self.offset


def single_mode(net: DynamicNet, layers: tuple[Layer, ...], mode: int) -> nn.Module:
    """The network of `mode`, made of Brevitas layers; equal to `net.run(x, mode)`.

    `layers` are those of the float network. It shares nothing with `net`.
    """
    return _single(net, layers, mode)[0]


def settle_modes(net: DynamicNet, layers: tuple[Layer, ...]) -> None:
    """Shift steps, and norm biases of every mode, off rounding boundaries (quant/settle.py).

    In place. All modes round at edges of the stored precision, so its steps serve them all.
    """
    model, handles = _single(net, layers, net.stored)
    settle_steps(model, handles)
    for handle in handles:
        net.layer(handle.layer.name).act_planes.start_at(handle.act.step().item())
    for mode in range(net.modes):
        model, handles = _single(net, layers, mode)
        before = {
            layer.name: model.get_submodule(layer.norm).get_parameter("bias").detach().clone()
            for layer in layers
            if layer.norm is not None
        }
        settle_norms(model, handles)
        with torch.no_grad():
            for layer in layers:
                if layer.norm is not None:
                    bias = model.get_submodule(layer.norm).get_parameter("bias")
                    own = net.layer(layer.name).norms[mode].get_parameter("bias")
                    own.add_(bias - before[layer.name])


def _single(
    net: DynamicNet, layers: tuple[Layer, ...], mode: int
) -> tuple[nn.Module, tuple[QuantisedLayer, ...]]:
    model = copy.deepcopy(net.body)
    planes = {layer.name: net.layer(layer.name) for layer in layers}
    norms = _shiftable(model, layers)
    grids = grids_in(model)
    for name, grid in grids.items():
        swap(model, name, grid.plain)
    for layer in layers:
        swap(model, layer.name, _plain(planes[layer.name], mode))
        if layer.norm is not None:
            swap(model, layer.norm, copy.deepcopy(planes[layer.name].norms[mode]))
    bits = {name: (b.w_bits, b.a_bits) for name, b in net.bits(mode).items()}
    handles = quantise(model, layers, bits)
    for name, grid in grids.items():
        quantiser_of(model, name).start_at(grid.quantiser.steps.item())
    for handle in handles:
        own = planes[handle.layer.name]
        w_bits, a_bits = bits[handle.layer.name]
        handle.weight.start_at(own.weight_planes.scale(w_bits))
        handle.act.start_at(own.act_planes.scale(a_bits))
        offset = (own.act_planes.scale(a_bits) - own.act_planes.scale(own.stored.a_bits)) / 2
        feeder = handle.layer.feeder
        if offset and (norm := norms.get(feeder)) is not None:
            with torch.no_grad():
                model.get_submodule(norm).get_parameter("bias").sub_(offset)
        elif offset:
            parts = (net.body.get_submodule(feeder), Shift(-offset), model.get_submodule(feeder))
            swap(model, feeder, nn.Sequential(*parts))
    return model.eval(), handles


def _shiftable(body: nn.Module, layers: tuple[Layer, ...]) -> dict[str, str]:
    """Feeder -> the norm whose bias can take its shift: nothing else reads it, a ReLU follows."""
    return {
        layer.readers[0]: layer.norm
        for layer in layers
        if layer.norm is not None
        and len(layer.readers) == 1
        and type(body.get_submodule(layer.readers[0])) is nn.ReLU
    }


def _plain(own: PlaneLayer, mode: int) -> nn.Module:
    """A plain layer whose weights are the mode's integers times their scale."""
    own.mode = mode
    bits = own.bits[mode]
    layer = copy.deepcopy(own.layer)
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    with torch.no_grad():
        layer.weight.copy_(own.weight_planes(own.layer.weight, bits.w_bits))
        bias = own.bias()
        if bias is not None:
            layer.bias = nn.Parameter(bias.detach().clone())
    return layer
