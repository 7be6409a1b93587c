"""The question that a method answers: layers, candidate bits, and what they may cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from bitfold.errors import BudgetError, ConfigError
from bitfold.policy import LayerBits
from bitfold.quant import Layer
from bitfold.search.costs import KINDS, Budget, CostModel, Options, layer_shape
from bitfold.search.ilp import Bools, Floats, Limit, choose

__all__ = ["KINDS", "CostModel", "Problem", "layer_shape", "pose"]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Choose bits for the layers that are not `fixed`, within `limit` of `costs.kind`.

    The policy keeps the budgets in `also` too; only the first is one to be spent.
    """

    costs: CostModel
    limit: float
    bits: tuple[int, ...]  # candidates, ascending
    fixed: Mapping[str, LayerBits]  # first and last layer, unless they are searched
    seed: int
    like_uniform: int | None = None  # the width whose cost is the limit, where it was given so
    also: tuple[Budget, ...] = ()

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """All budgets, the one to be spent first."""
        return (Budget(costs=self.costs, limit=self.limit), *self.also)

    @property
    def searched(self) -> tuple[Layer, ...]:
        """Layers to choose bits for, in network order."""
        return tuple(layer for layer in self.costs.layers if layer.name not in self.fixed)

    def keeps(self, policy: Mapping[str, LayerBits]) -> bool:
        """Whether a policy, which names every layer, is within all budgets."""
        return all(budget.keeps(policy) for budget in self.budgets)

    def complete(self, chosen: Mapping[str, LayerBits]) -> dict[str, LayerBits]:
        """Chosen and fixed bits together, in network order."""
        both = {**self.fixed, **chosen}
        return {layer.name: both[layer.name] for layer in self.costs.layers}

    def uniform(self, bits: int) -> dict[str, LayerBits]:
        """The policy with `bits` in every searched layer."""
        level = LayerBits(w_bits=bits, a_bits=bits)
        return self.complete({layer.name: level for layer in self.searched})

    def options(self, *, tied: bool = False) -> Options:
        """Pairs of candidates for every searched layer: layers x weights' x activations'.

        `tied`: only those of equal widths, layers x candidates x 1.
        """
        pairs = [
            [LayerBits(w_bits=w, a_bits=a) for a in self.bits if a == w or not tied]
            for w in self.bits
        ]
        return [pairs for _ in self.searched]

    def table(self) -> Floats:
        """Costs of the options. Shape (layers, weight candidates, activation candidates)."""
        return self.costs.table(self.searched, self.options())

    def fixed_costs(self, costs: CostModel) -> tuple[float, ...]:
        """What each fixed layer costs."""
        return tuple(
            costs.layer(layer, self.fixed[layer.name].w_bits, self.fixed[layer.name].a_bits)
            for layer in costs.layers
            if layer.name in self.fixed
        )

    @property
    def fixed_cost(self) -> float:
        """Cost of the fixed layers; of cycles, the slowest one's."""
        return self.costs.join([0, *self.fixed_costs(self.costs)])

    def limits(self, options: Options, least: float = -np.inf) -> tuple[list[Limit], Bools]:
        """Limits on what is chosen of `options`, and which of them are allowed.

        A choice keeps them if the policy's cost is at least `least` and all budgets are kept.
        """
        allowed = np.ones((len(options), len(options[0]), len(options[0][0])), dtype=np.bool_)
        found = []
        floors = [least] + [-np.inf] * len(self.also)
        for budget, at_least in zip(self.budgets, floors, strict=True):
            table = budget.costs.table(self.searched, options)
            fixed = self.fixed_costs(budget.costs)
            if budget.costs.kind != "cycles":
                found.append(Limit(table=table, most=budget.limit, least=at_least, fixed=fixed))
                continue
            # The slowest layer counts: each must be fast enough, and one as slow as the least.
            allowed &= table <= budget.limit
            if max((0, *fixed)) < at_least:
                slow = (table >= at_least).astype(np.float64)
                found.append(Limit(table=slow, most=len(table), least=1))
        return found, allowed

    def check(self, options: Options) -> None:
        """Raise BudgetError, saying what is least possible, unless some of `options` fit."""
        for budget in self.budgets:
            table = budget.costs.table(self.searched, options)
            cheapest = [float(cost) for cost in table.min((1, 2))]
            least = budget.costs.join([*self.fixed_costs(budget.costs), *cheapest])
            if least > budget.limit:
                raise BudgetError(
                    f"[budget] {budget.costs.kind} {budget.limit:g} cannot be met: with bits "
                    f"{_widths(options)} the least possible is {least:g}. Raise the budget, add "
                    "smaller bits, or let first_last be searched"
                )
        if self.also:
            found, allowed = self.limits(options)
            try:
                choose(np.zeros(allowed.shape), found, allowed)
            except BudgetError:
                wanted = ", ".join(f"{b.costs.kind} {b.limit:g}" for b in self.budgets)
                raise BudgetError(
                    f"[budget] {wanted}: each can be met, but not all of them by one policy; "
                    "raise one of them"
                ) from None


def _widths(options: Options) -> str:
    """The candidates, for a message."""
    pairs = [bits for rows in options for row in rows for bits in row]
    w, a = sorted({b.w_bits for b in pairs}), sorted({b.a_bits for b in pairs})
    return str(w) if w == a else f"{w} of weights and {a} of activations"


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
    also: Sequence[tuple[str, float | None, int | None]] = (),
) -> Problem:
    """Make the problem of a run file's [search] and [budget]; settings as described there.

    `also` lists further budgets as (kind, value, like_uniform). Raises: BudgetError when no choice
    of bits meets the budgets, ConfigError when no layer is left to search.
    """
    fixed = {}
    if isinstance(first_last, int):
        ends = (layers[0].name, layers[-1].name)
        fixed = {name: LayerBits(w_bits=first_last, a_bits=first_last) for name in ends}

    def limited(kind: str, value: float | None, like_uniform: int | None) -> Budget:
        costs = CostModel(kind=kind, layers=layers, target=target)
        if value is None:
            assert like_uniform is not None
            level = LayerBits(w_bits=like_uniform, a_bits=like_uniform)
            value = costs.total({**{layer.name: level for layer in layers}, **fixed})
        return Budget(costs=costs, limit=value)

    first = limited(kind, value, like_uniform)
    posed = Problem(
        costs=first.costs,
        limit=first.limit,
        like_uniform=like_uniform,
        bits=bits,
        fixed=fixed,
        seed=seed,
        also=tuple(limited(*each) for each in also),
    )
    if not posed.searched:
        raise ConfigError(
            f"[search] first_last = {first_last} fixes the bits of all {len(layers)} layers of "
            'this network: nothing is left to search. Set first_last = "search"'
        )
    posed.check(posed.options())
    return posed
