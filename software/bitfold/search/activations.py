"""Quantised activations for the search phase of methods that search weight bits alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, final

from torch import nn

from bitfold.quant import Layer
from bitfold.quant.convert import swap
from bitfold.quant.layers import quant_activation
from bitfold.quant.lsq import LSQ


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Activations:
    """LSQ quantisers of what layers read, all of one width, and what stood in their places."""

    quantisers: Mapping[str, LSQ] = field(default_factory=dict)  # by layer name
    plain: Mapping[str, nn.Module] = field(default_factory=dict)  # by module path

    @classmethod
    def put(cls, model: nn.Module, layers: Sequence[Layer], bits: int) -> Self:
        """Quantise what `layers` of the plain `model` read to `bits`, in place."""
        quantisers, plain = {}, {}
        for layer in layers:
            act = LSQ((bits,), signed=layer.signed)
            plain[layer.feeder] = model.get_submodule(layer.feeder)
            swap(model, layer.feeder, quant_activation(plain[layer.feeder], act, scaled=False))
            quantisers[layer.name] = act
        return cls(quantisers=quantisers, plain=plain)

    def remove(self, model: nn.Module) -> dict[str, float]:
        """Put the plain modules back; return the learned steps, by layer name."""
        for path, module in self.plain.items():
            swap(model, path, module)
        return {name: act.step().item() for name, act in self.quantisers.items()}
