"""Choose PE, SIMD, WP, AP of every layer: fewest LUTs for a rate, or best rate within a LUT budget.

A layer's choice meets others in one place: the channel group of the streams it reads and sends. A
product's SIMD must divide the group that it reads, or be divided by it; streams that meet must have
one group; all readers of a stream read the same. `selection` finds the best choice of all layers
together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import final

from bitfold.compiler.layers import ChannelLayer, ConcatLayer, Layer, LinearLayer
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
from bitfold.cost import Folding, stage_cycles
from bitfold.cost.luts import Target, stage_luts
from bitfold.cost.shape import divisors
from bitfold.cost.stages import Stage
from bitfold.errors import BudgetError
from bitfold.ir import Graph

MAX_LANES = 4096  # of one layer; beyond, one popcount no longer closes timing


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A choice for all layers: its LUTs, the foldings by layer name, and the input's group.

    interval: cycles of the slowest stage.
    """

    luts: float
    interval: int
    group: int
    foldings: Mapping[str, LayerFolding]


@final
class Prices:
    """What stages cost on a target; remembered, for a bisection asks the same again and again."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._known: dict[tuple[str, int, LayerFolding | None], tuple[int, float]] = {}

    def of(self, stages: tuple[Stage, ...]) -> tuple[int, float]:
        """Cycles of the slowest stage, and the LUTs of all."""
        slowest = max(stage_cycles(stage) for stage in stages)
        return slowest, sum(stage_luts(stage, self.target) for stage in stages)

    def of_layer(self, layer: Layer, group: int, how: LayerFolding | None) -> tuple[int, float]:
        """As `of`, for a layer that reads streams of `group`."""
        key = (layer.name, group, how)
        if key not in self._known:
            self._known[key] = self.of(layer_stages(layer, group, how, layer.reads))
        return self._known[key]


def fold_for_interval(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, prices: Prices
) -> Chosen | None:
    """The foldings with the fewest LUTs whose initiation interval is at most `cycles`, or None.

    As many channels as can enter together, fewer only where streams cannot meet otherwise.
    """
    for group in input_groups(graph):
        chosen = _fold_behind(graph, layers, group, cycles, prices)
        if chosen is not None:
            return chosen
    return None


def _fold_behind(
    graph: Graph, layers: tuple[Layer, ...], group: int, cycles: int, prices: Prices
) -> Chosen | None:
    enters, luts = prices.of((input_stage(graph, group),))
    if enters > cycles:
        return None
    groups: dict[str, frozenset[int]] = {"input": frozenset({group})}
    options: dict[str, tuple[Option, ...]] = {}
    readers = [name for layer in layers for name in layer.reads if name]
    types = {"input": graph.input_type} | {layer.name: layer.out for layer in layers}
    for layer in layers:
        common = frozenset.intersection(*(groups[name] for name in layer.reads if name))
        found = [o for each in sorted(common) for o in _options(layer, each, cycles, prices)]
        if layer is layers[-1]:
            ends = {o.sends: prices.of(output_stages(layer, o.sends)) for o in found}
            found = [o for o in found if ends[o.sends][0] <= cycles]
        options[layer.name] = tuple(found)
        groups[layer.name] = frozenset(o.sends for o in found)
        if not found:
            return None
    extra = {
        name: {
            g: prices.of((fork_stage(name, types[name], g, readers.count(name), ()),))[1]
            for g in found
        }
        for name, found in groups.items()
        if readers.count(name) > 1
    }
    extra[layers[-1].name] = {g: ends[g][1] for g in groups[layers[-1].name]}
    reads = {layer.name: tuple(filter(None, layer.reads)) for layer in layers}
    selected: Selected | None = select(reads, options, groups, extra)
    if selected is None:
        return None
    how = {n: o.how for n, o in selected.options.items() if isinstance(o.how, LayerFolding)}
    stages = build_stages(graph, layers, how, group)
    return Chosen(
        luts=selected.cost + luts,
        interval=max(stage_cycles(stage) for stage in stages),
        group=group,
        foldings=how,
    )


def _options(layer: Layer, group: int, cycles: int, prices: Prices) -> Iterator[Option]:
    """Ways to put `layer` behind streams of `group`, the best for each group that it can send."""
    best: dict[int, tuple[float, LayerFolding | None]] = {}
    for how in _choices(layer, group, cycles):
        slowest, luts = prices.of_layer(layer, group, how)
        if slowest > cycles:
            continue
        sends = group if how is None else how.tpe
        if sends not in best or luts < best[sends][0]:
            best[sends] = (luts, how)
    for sends, (luts, how) in best.items():
        yield Option(reads=group, sends=sends, cost=luts, how=how)


def _choices(layer: Layer, group: int, cycles: int) -> Iterator[LayerFolding | None]:
    match layer:
        case LinearLayer():
            yield from _products(layer, group, cycles)
        case ChannelLayer():
            shares = layer.thresholds is not None or layer.raw
            for tpe in divisors(group) if shares else (group,):
                yield LayerFolding(folding=None, tpe=tpe)
        case ConcatLayer():
            if all(part.channels % group == 0 for part in layer.parts):
                yield None
        case _:
            yield None


def _products(layer: LinearLayer, group: int, cycles: int) -> Iterator[LayerFolding]:
    """Foldings that are fast enough; among equals in PE and planes the least SIMD is enough."""
    outputs, inputs = layer.matrix.shape
    shares = layer.thresholds is not None or layer.raw
    for wp in divisors(layer.w_bits):
        for ap in divisors(layer.x.bits):
            steps = (layer.w_bits // wp) * (layer.x.bits // ap)
            for pe in divisors(outputs):
                for simd in divisors(inputs):
                    folding = Folding(pe=pe, simd=simd, wp=wp, ap=ap)
                    if folding.lanes > MAX_LANES:
                        break
                    busy = layer.pixels * (outputs // pe) * (inputs // simd) * steps
                    if busy > cycles or (simd % group and group % simd):
                        continue
                    for tpe in divisors(pe) if shares else (pe,):
                        yield LayerFolding(folding=folding, tpe=tpe)
                    if busy * 8 < cycles:
                        break  # already far too fast: more lanes only cost


def fold(
    graph: Graph,
    layers: tuple[Layer, ...],
    prices: Prices,
    *,
    interval_cycles: int | None,
    luts: int | None,
) -> Chosen:
    """Fewest LUTs at `interval_cycles`, or least interval within `luts`; both: check both.

    prices: of the target; remembers, so that further questions about `layers` are quick.
    Raises: BudgetError, saying the least possible interval or the fewest LUTs possible.
    """
    if interval_cycles is not None:
        chosen = fold_for_interval(graph, layers, interval_cycles, prices)
        if chosen is None:
            least = fastest(graph, layers, prices, luts=None).interval
            raise BudgetError(
                f"an initiation interval of {interval_cycles} cycles cannot be met; "
                f"the least this network can reach is {least} cycles"
            )
        if luts is not None and chosen.luts > luts:
            raise BudgetError(
                f"{interval_cycles} cycles a frame need {chosen.luts:.0f} LUTs on "
                f"{prices.target.name}, the budget is {luts}"
            )
        return chosen
    return fastest(graph, layers, prices, luts=luts)


def fastest(graph: Graph, layers: tuple[Layer, ...], prices: Prices, luts: int | None) -> Chosen:
    """Least interval within the LUTs, by bisection: more cycles never need more LUTs.

    Raises: BudgetError.
    """
    best = fold_for_interval(graph, layers, slowest_interval(layers), prices)
    assert best is not None, "one lane at a time always works"
    if luts is not None and best.luts > luts:
        raise BudgetError(
            f"a budget of {luts} LUTs on {prices.target.name} cannot be met; the smallest "
            f"accelerator of this network takes {best.luts:.0f}"
        )
    low = 0  # fails
    while best.interval - low > 1:
        middle = (low + best.interval) // 2
        chosen = fold_for_interval(graph, layers, middle, prices)
        if chosen is not None and (luts is None or chosen.luts <= luts):
            best = chosen
        else:
            low = middle
    return best


def slowest_interval(layers: tuple[Layer, ...]) -> int:
    """More cycles than one lane at a time needs anywhere."""
    most = 1
    for layer in layers:
        if isinstance(layer, LinearLayer):
            most = max(most, layer.pixels * layer.matrix.size * layer.w_bits * layer.x.bits)
            most = max(most, layer.matrix.shape[0] * layer.pixels * 8)
            values = layer.x.shape[0] * layer.pixels * layer.x.bits
            most = max(most, values * (layer.matrix.shape[1] // layer.x.shape[0]))
        elif isinstance(layer, ConcatLayer):
            most = max(most, prod(layer.out.shape) * layer.out.bits)
        else:
            positions = (
                layer.positions if isinstance(layer, ChannelLayer) else prod(layer.pool.kernel)
            )
            bits = max(layer.x.bits, layer.out.bits)
            most = max(most, prod(layer.x.shape) * bits * positions)
    return 2 * most
