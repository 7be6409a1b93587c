"""What bits cost, in the five kinds of budget."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from bitfold import cost
from bitfold.cost import LayerShape
from bitfold.policy import LayerBits
from bitfold.quant import Layer
from bitfold.search.ilp import Floats

KINDS = ("average_bits", "size", "bitops", "luts", "cycles")

# Bits of each layer's choices: layers x weight candidates x activation candidates.
Options = Sequence[Sequence[Sequence[LayerBits]]]


def layer_shape(layer: Layer) -> LayerShape:
    """The part of a traced layer that the cost formulas read."""
    return LayerShape(
        name=layer.name,
        outputs=layer.outputs,
        inputs=layer.inputs,
        pixels=layer.pixels,
        channels=layer.channels,
        groups=layer.groups,
    )


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class CostModel:
    """Cost of bits in one kind. Totals are sums over layers; of cycles, the slowest layer's."""

    kind: str
    layers: tuple[Layer, ...]
    target: str

    def layer(self, layer: Layer, w_bits: int, a_bits: int) -> float:
        """What one layer costs at these bits, in the kind's unit."""
        shape = layer_shape(layer)
        if self.kind == "average_bits":
            weights, acts = self._elements
            return (shape.weights * w_bits / weights + layer.input_elements * a_bits / acts) / 2
        if self.kind == "size":
            return cost.size_bits(shape.weights, w_bits)
        if self.kind == "bitops":
            return cost.bitops(shape.macs, w_bits, a_bits)
        folding = cost.reference_folding(shape)
        if self.kind == "luts":
            return float(cost.layer_luts(shape, folding, w_bits, a_bits, self.target))
        assert self.kind == "cycles"
        return cost.layer_cycles(shape, folding, w_bits, a_bits)

    @cached_property
    def _elements(self) -> tuple[int, int]:
        """Weights and activations of the whole network."""
        weights = sum(layer_shape(each).weights for each in self.layers)
        return weights, sum(each.input_elements for each in self.layers)

    def total(self, policy: Mapping[str, LayerBits]) -> float:
        """Cost of a whole policy; `policy` names every layer."""
        parts = [
            self.layer(layer, policy[layer.name].w_bits, policy[layer.name].a_bits)
            for layer in self.layers
        ]
        return self.join(parts)

    def join(self, parts: Sequence[float]) -> float:
        """Total from the layers' costs; exactly rounded, so that their order is no matter."""
        if self.kind in ("average_bits", "luts"):
            return math.fsum(parts)
        return max(parts) if self.kind == "cycles" else sum(parts)

    def table(self, layers: Sequence[Layer], options: Options) -> Floats:
        """What each option of each layer costs. Shape as `options`."""
        costs = [
            [[self.layer(layer, bits.w_bits, bits.a_bits) for bits in row] for row in rows]
            for layer, rows in zip(layers, options, strict=True)
        ]
        return np.array(costs, dtype=np.float64)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Budget:
    """A policy may cost up to `limit` of `costs.kind`."""

    costs: CostModel
    limit: float

    def keeps(self, policy: Mapping[str, LayerBits]) -> bool:
        """Whether the policy, which names every layer, is within the limit."""
        return self.costs.total(policy) <= self.limit
