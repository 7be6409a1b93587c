"""Swap the layers of a plain float model for quantised ones, in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from torch import nn

from bitfold.quant.grids import grids
from bitfold.quant.layers import quant_activation, quant_layer
from bitfold.quant.lsq import LSQ
from bitfold.quant.norm import SwitchableNorm
from bitfold.quant.trace import Layer

GRID_BITS = 8  # of what is added or averaged; fixed, at every policy


@final
@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """Handles to the quantisers of one layer after `quantise` or `make_switchable`."""

    layer: Layer
    weight: LSQ
    act: LSQ
    norm: SwitchableNorm | None = None

    def select(self, w_bits: int, a_bits: int) -> None:
        """Set both quantisers; the norm's copy, where there are copies, is that of `w_bits`."""
        self.weight.select(w_bits)
        self.act.select(a_bits)
        if self.norm is not None:
            self.norm.select(w_bits)


def swap(model: nn.Module, name: str, module: nn.Module) -> None:
    """Put `module` where `name` (a module path) stands."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)


def quantise(
    model: nn.Module, layers: Sequence[Layer], bits: Mapping[str, tuple[int, int]]
) -> tuple[QuantisedLayer, ...]:
    """Quantise every layer at its fixed (weight bits, activation bits); `bits` is by layer name.

    Biases are rounded onto the grid of the layer's accumulator. What is added or averaged gets
    quantisers of 8 bits, whose steps are powers of two. Raises: KeyError for a layer without
    bits; check a policy first.
    """
    for grid in grids(model):
        shared = LSQ((GRID_BITS,), signed=grid.signed, power_of_two=True)
        plain = model.get_submodule(grid.name)
        swap(model, grid.name, quant_activation(plain, shared, scaled=False))
    made = []
    for layer in layers:
        w_bits, a_bits = bits[layer.name]
        made.append(_quantise(model, layer, (w_bits,), (a_bits,), None, whole_bias=True))
    return tuple(made)


def make_switchable(
    model: nn.Module, layers: Sequence[Layer], bits: Sequence[int], most_step: float
) -> tuple[QuantisedLayer, ...]:
    """Give every listed layer a step per candidate of `bits`, and its norm a copy per candidate.

    Steps are clamped to at most `most_step`. Layers that are not listed, and what is added or
    averaged, stay in floating point.
    """
    made = []
    for layer in layers:
        handle = _quantise(model, layer, bits, bits, most_step, whole_bias=False)
        norm = None
        if layer.norm is not None:
            norm = SwitchableNorm(model.get_submodule(layer.norm), bits)
            swap(model, layer.norm, norm)
        made.append(QuantisedLayer(layer, handle.weight, handle.act, norm))
    return tuple(made)


def _quantise(
    model: nn.Module,
    layer: Layer,
    w_bits: Sequence[int],
    a_bits: Sequence[int],
    most_step: float | None,
    *,
    whole_bias: bool,
) -> QuantisedLayer:
    plain = model.get_submodule(layer.name)
    weight = LSQ(w_bits, signed=True, most_step=most_step)
    weight.start_from(plain.get_parameter("weight"))
    act = LSQ(a_bits, signed=layer.signed, most_step=most_step)
    scaled = whole_bias and plain.bias is not None
    feeder = quant_activation(model.get_submodule(layer.feeder), act, scaled=scaled)
    swap(model, layer.feeder, feeder)
    swap(model, layer.name, quant_layer(plain, weight, whole_bias=whole_bias))
    return QuantisedLayer(layer, weight, act)
