"""Choose PE, SIMD, WP, AP of every layer: the fewest LUTs for a rate.

A layer's choice meets others in one place: the channel group of the streams it reads and sends. A
product's SIMD must divide the group that it reads, or be divided by it; streams that meet must have
one group; all readers of a stream read the same. `selection` finds the best choice of all layers
together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import final

from bitfold.compiler.layers import Layer
from bitfold.compiler.menu import Menu
from bitfold.compiler.selection import Option, Selected, select
from bitfold.compiler.stages import (
    LayerFolding,
    build_stages,
    fork_stage,
    input_groups,
    input_stage,
    layer_stages,
    output_stages,
)
from bitfold.cost import stage_brams, stage_cycles
from bitfold.cost.luts import Part, Target, stage_luts
from bitfold.cost.stages import Stage, at_mode
from bitfold.ir import Graph


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A choice for all layers: what it takes, the foldings by layer name, and the input's group.

    interval: cycles of the slowest stage; with modes, scaled as `Prices` says.
    """

    luts: float
    brams: float
    interval: int
    group: int
    foldings: Mapping[str, LayerFolding]


@final
@dataclass(frozen=True, kw_only=True)
class Price:
    """Of stages: cycles of the slowest, and the area of all."""

    cycles: int
    luts: float
    brams: float

    def cost(self, bram_price: float) -> float:
        """In LUTs, of which a block RAM is worth `bram_price`."""
        return self.luts + bram_price * self.brams


@final
class Prices:
    """What stages cost on a target; remembered, for a bisection asks the same again and again.

    shares: for each precision mode, what part of the slowest mode's interval it should take. A
    stage then counts as slow as its worst mode, divided by that mode's share.
    """

    def __init__(self, target: Target, shares: tuple[float, ...] = (1.0,)) -> None:
        self.target, self.shares = target, shares
        self._known: dict[tuple[str, int, LayerFolding | None], Price] = {}
        self._menus: dict[tuple[str, int], Menu] = {}

    def of(self, stages: tuple[Stage, ...]) -> Price:
        """Of all stages together."""
        return self.with_parts(stages, stages)

    def with_parts(self, stages: tuple[Stage, ...], parts: tuple[Part, ...]) -> Price:
        """The area of all parts at the pace of the stages among them."""
        return Price(
            cycles=self._slowest(stages),
            luts=sum(stage_luts(part, self.target) for part in parts),
            brams=sum(stage_brams(part, self.target) for part in parts),
        )

    def _slowest(self, stages: tuple[Stage, ...]) -> int:
        if len(self.shares) == 1:
            return max(stage_cycles(stage) for stage in stages)
        return max(
            ceil(stage_cycles(at_mode(stage, mode)) / share)
            for stage in stages
            for mode, share in enumerate(self.shares)
        )

    def of_layer(self, layer: Layer, group: int, how: LayerFolding | None) -> Price:
        """As `of`, for a layer that reads streams of `group`."""
        key = (layer.name, group, how)
        if key not in self._known:
            self._known[key] = self.of(layer_stages(layer, group, how, layer.reads))
        return self._known[key]

    def menu(self, layer: Layer, group: int) -> Menu:
        """The foldings of a layer behind streams of `group`."""
        key = (layer.name, group)
        if key not in self._menus:
            self._menus[key] = Menu(layer, group)
        return self._menus[key]


def fold_for_interval(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, prices: Prices, bram_price: float = 0.0
) -> Chosen | None:
    """The foldings with the fewest LUTs whose initiation interval is at most `cycles`, or None.

    A block RAM counts as `bram_price` LUTs. As many channels as can enter together, fewer only
    where streams cannot meet otherwise.
    """
    for group in input_groups(graph):
        chosen = _fold_behind(graph, layers, group, cycles, prices=prices, bram_price=bram_price)
        if chosen is not None:
            return chosen
    return None


def _fold_behind(
    graph: Graph,
    layers: tuple[Layer, ...],
    group: int,
    cycles: int,
    *,
    prices: Prices,
    bram_price: float,
) -> Chosen | None:
    if prices.of((input_stage(graph, group),)).cycles > cycles:
        return None
    groups: dict[str, frozenset[int]] = {"input": frozenset({group})}
    options: dict[str, tuple[Option, ...]] = {}
    readers = [name for layer in layers for name in layer.reads if name]
    types = {"input": graph.input_type} | {layer.name: layer.out for layer in layers}
    for layer in layers:
        common = frozenset.intersection(*(groups[name] for name in layer.reads if name))
        found = [
            option
            for each in sorted(common)
            for option in _options(layer, each, cycles, prices, bram_price)
        ]
        if layer is layers[-1]:
            ends = {o.sends: prices.of(output_stages(layer, o.sends)) for o in found}
            found = [o for o in found if ends[o.sends].cycles <= cycles]
        options[layer.name] = tuple(found)
        groups[layer.name] = frozenset(o.sends for o in found)
        if not found:
            return None
    extra = {
        name: {
            g: prices.of((fork_stage(name, types[name], g, readers.count(name), ()),)).cost(
                bram_price
            )
            for g in found
        }
        for name, found in groups.items()
        if readers.count(name) > 1
    }
    extra[layers[-1].name] = {g: ends[g].cost(bram_price) for g in groups[layers[-1].name]}
    reads = {layer.name: tuple(filter(None, layer.reads)) for layer in layers}
    selected: Selected | None = select(reads, options, groups, extra)
    if selected is None:
        return None
    how = {n: o.how for n, o in selected.options.items() if isinstance(o.how, LayerFolding)}
    price = prices.of(build_stages(graph, layers, how, group))
    return Chosen(
        luts=price.luts,
        brams=price.brams,
        interval=price.cycles,
        group=group,
        foldings=how,
    )


def _options(
    layer: Layer, group: int, cycles: int, prices: Prices, bram_price: float
) -> Iterator[Option]:
    """Ways to put `layer` behind streams of `group`, the best for each group that it can send."""
    menu = prices.menu(layer, group)
    for sends, cost, how in menu.best(
        cycles, bram_price, lambda how: prices.of_layer(layer, group, how)
    ):
        yield Option(reads=group, sends=sends, cost=cost, how=how)
