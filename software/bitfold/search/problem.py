"""The question that a method answers: layers, candidate bits, and what each choice costs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt

from bitfold import cost
from bitfold.cost import LayerShape
from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.quant import Layer

Floats = npt.NDArray[np.float64]
KINDS = ("average_bits", "size", "bitops", "luts", "cycles")


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
            weights = sum(layer_shape(each).weights for each in self.layers)
            acts = sum(each.input_elements for each in self.layers)
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


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Choose bits for the layers that are not `fixed`, within `limit` of `costs.kind`."""

    costs: CostModel
    limit: float
    bits: tuple[int, ...]  # candidates, ascending
    fixed: Mapping[str, LayerBits]  # first and last layer, unless they are searched
    seed: int
    like_uniform: int | None = None  # the width whose cost is the limit, where it was given so

    @property
    def searched(self) -> tuple[Layer, ...]:
        """Layers to choose bits for, in network order."""
        return tuple(layer for layer in self.costs.layers if layer.name not in self.fixed)

    def complete(self, chosen: Mapping[str, LayerBits]) -> dict[str, LayerBits]:
        """Chosen and fixed bits together, in network order."""
        both = {**self.fixed, **chosen}
        return {layer.name: both[layer.name] for layer in self.costs.layers}

    def uniform(self, bits: int) -> dict[str, LayerBits]:
        """The policy with `bits` in every searched layer."""
        level = LayerBits(w_bits=bits, a_bits=bits)
        return self.complete({layer.name: level for layer in self.searched})

    def table(self) -> Floats:
        """Costs of the searched layers. Shape (layers, weight candidates, activation ones)."""
        return np.array(
            [
                [[self.costs.layer(layer, w, a) for a in self.bits] for w in self.bits]
                for layer in self.searched
            ],
            dtype=np.float64,
        ).reshape(len(self.searched), len(self.bits), len(self.bits))

    @property
    def fixed_costs(self) -> tuple[float, ...]:
        """Cost of each fixed layer."""
        return tuple(
            self.costs.layer(layer, self.fixed[layer.name].w_bits, self.fixed[layer.name].a_bits)
            for layer in self.costs.layers
            if layer.name in self.fixed
        )

    @property
    def fixed_cost(self) -> float:
        """Cost of the fixed layers; of cycles, the slowest one's."""
        return self.costs.join([0, *self.fixed_costs])

    def check_reachable(self) -> None:
        """Raise BudgetError, naming the least possible cost, unless some choice fits."""
        cheapest = {}
        for layer, table in zip(self.searched, self.table(), strict=True):
            w, a = np.unravel_index(int(table.argmin()), table.shape)
            cheapest[layer.name] = LayerBits(w_bits=self.bits[w], a_bits=self.bits[a])
        least = self.costs.total(self.complete(cheapest))
        if least > self.limit:
            raise BudgetError(
                f"[budget] {self.costs.kind} {self.limit:g} cannot be met: with bits "
                f"{list(self.bits)} the least possible is {least:g}. Raise the budget, add "
                "smaller bits, or let first_last be searched"
            )


def pose(
    layers: tuple[Layer, ...],
    *,
    kind: str,
    value: float | None,
    like_uniform: int | None,
    bits: tuple[int, ...],
    first_last: int | str,
    target: str,
    seed: int,
) -> Problem:
    """Make the problem of a run file's [search] and [budget]; settings as described there.

    Raises: BudgetError when no choice of bits meets the budget.
    """
    fixed = {}
    if isinstance(first_last, int):
        ends = (layers[0].name, layers[-1].name)
        fixed = {name: LayerBits(w_bits=first_last, a_bits=first_last) for name in ends}
    costs = CostModel(kind=kind, layers=layers, target=target)
    problem = Problem(costs=costs, limit=0, bits=bits, fixed=fixed, seed=seed)
    if value is None:
        assert like_uniform is not None
        value = costs.total(problem.uniform(like_uniform))
    posed = replace(problem, limit=value, like_uniform=like_uniform)
    posed.check_reachable()
    return posed
