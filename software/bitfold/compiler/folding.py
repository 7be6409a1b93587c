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
from bitfold.ir import Graph, IntType

MAX_LANES = 4096  # of one layer; beyond, one popcount no longer closes timing


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A choice for all layers: its LUTs, the foldings by layer name, and the input's group."""

    luts: float
    group: int
    foldings: Mapping[str, LayerFolding]


def fold_for_interval(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, target: Target
) -> Chosen | None:
    """The foldings with the fewest LUTs whose initiation interval is at most `cycles`, or None.

    As many channels as can enter together, fewer only where streams cannot meet otherwise.
    """
    for group in input_groups(graph):
        chosen = _fold_behind(graph, layers, group, cycles, target)
        if chosen is not None:
            return chosen
    return None


def _fold_behind(
    graph: Graph, layers: tuple[Layer, ...], group: int, cycles: int, target: Target
) -> Chosen | None:
    first = input_stage(graph, group)
    if stage_cycles(first) > cycles:
        return None
    groups: dict[str, frozenset[int]] = {"input": frozenset({group})}
    options: dict[str, tuple[Option, ...]] = {}
    readers = [name for layer in layers for name in layer.reads if name]
    types = {"input": graph.input_type} | {layer.name: layer.out for layer in layers}
    for layer in layers:
        common = frozenset.intersection(*(groups[name] for name in layer.reads if name))
        found = [o for each in sorted(common) for o in _options(layer, each, cycles, target)]
        if layer is layers[-1]:
            found = [o for o in found if _ends(layer, o.sends, cycles)]
        options[layer.name] = tuple(found)
        groups[layer.name] = frozenset(o.sends for o in found)
        if not found:
            return None
    last = layers[-1]
    extra = {
        name: {g: _fork_luts(name, types[name], g, readers.count(name), target) for g in found}
        for name, found in groups.items()
        if readers.count(name) > 1
    }
    extra[last.name] = {g: _luts(output_stages(last, g), target) for g in groups[last.name]}
    reads = {layer.name: tuple(filter(None, layer.reads)) for layer in layers}
    selected: Selected | None = select(reads, options, groups, extra)
    if selected is None:
        return None
    foldings = {n: o.how for n, o in selected.options.items() if isinstance(o.how, LayerFolding)}
    luts = selected.cost + stage_luts(first, target)
    return Chosen(luts=luts, group=group, foldings=foldings)


def _ends(last: Layer, group: int, cycles: int) -> bool:
    return all(stage_cycles(stage) <= cycles for stage in output_stages(last, group))


def _fork_luts(name: str, x: IntType, group: int, branches: int, target: Target) -> float:
    return stage_luts(fork_stage(name, x, group, branches, ()), target)


def _options(layer: Layer, group: int, cycles: int, target: Target) -> Iterator[Option]:
    """Ways to put `layer` behind streams of `group`, the best for each group that it can send."""
    best: dict[int, tuple[float, LayerFolding | None]] = {}
    for how in _choices(layer, group, cycles):
        stages = layer_stages(layer, group, how, layer.reads)
        if any(stage_cycles(s) > cycles for s in stages):
            continue
        luts = _luts(stages, target)
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


def _luts(stages: tuple[Stage, ...], target: Target) -> float:
    return sum(stage_luts(stage, target) for stage in stages)


def fold(
    graph: Graph,
    layers: tuple[Layer, ...],
    target: Target,
    *,
    interval_cycles: int | None,
    luts: int | None,
) -> Chosen:
    """Fewest LUTs at `interval_cycles`, or least interval within `luts`; both: check both.

    Raises: BudgetError, saying the least possible interval or the fewest LUTs possible.
    """
    if interval_cycles is not None:
        chosen = fold_for_interval(graph, layers, interval_cycles, target)
        if chosen is None:
            least = _least_interval(graph, layers, target, luts=None)
            raise BudgetError(
                f"an initiation interval of {interval_cycles} cycles cannot be met; "
                f"the least this network can reach is {least} cycles"
            )
        if luts is not None and chosen.luts > luts:
            raise BudgetError(
                f"{interval_cycles} cycles a frame need {chosen.luts:.0f} LUTs on {target.name}, "
                f"the budget is {luts}"
            )
        return chosen
    limit = float("inf") if luts is None else luts
    slowest = fold_for_interval(graph, layers, _slowest(layers), target)
    assert slowest is not None
    if slowest.luts > limit:
        raise BudgetError(
            f"a budget of {luts} LUTs on {target.name} cannot be met; the smallest accelerator "
            f"of this network takes {slowest.luts:.0f}"
        )
    cycles = _least_interval(graph, layers, target, luts=luts)
    chosen = fold_for_interval(graph, layers, cycles, target)
    assert chosen is not None
    return chosen


def _least_interval(
    graph: Graph, layers: tuple[Layer, ...], target: Target, luts: int | None
) -> int:
    """Least interval within the LUTs, by bisection: more cycles never need more LUTs."""
    low, high = 0, _slowest(layers)  # low fails, high works
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        chosen = fold_for_interval(graph, layers, middle, target)
        if chosen is not None and (luts is None or chosen.luts <= luts):
            high = middle
        else:
            low = middle
    return high


def _slowest(layers: tuple[Layer, ...]) -> int:
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
