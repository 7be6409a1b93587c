"""Choose PE, SIMD, WP, AP of every layer: fewest LUTs for a rate, or best rate within a LUT budget.

A layer's choice meets its neighbour's in one place: the channel group in which it sends its planes
must divide, or be divided by, the next layer's SIMD. So the best chain is found exactly by dynamic
programming over that group, one layer after another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from bitfold.compiler.lower import Layer, LinearLayer, PoolLayer
from bitfold.compiler.stages import (
    LayerFolding,
    input_stage,
    linear_stages,
    output_stages,
    pool_stages,
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
class Chain:
    """A choice for the layers so far: its LUTs, and the foldings by layer name."""

    luts: float
    foldings: Mapping[str, LayerFolding]


@final
@dataclass(frozen=True, kw_only=True)
class _Option:
    simd: int
    tpe: int
    cycles: int
    luts: float
    how: LayerFolding


def fold_for_interval(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, target: Target
) -> Chain | None:
    """The chain with the fewest LUTs whose initiation interval is at most `cycles`, or None."""
    first = input_stage(graph)
    if stage_cycles(first) > cycles:
        return None
    states = {first.group: Chain(luts=stage_luts(first, target), foldings={})}
    for layer in layers:
        after: dict[int, Chain] = {}
        for group, chain in states.items():
            for added, luts, out in _extensions(layer, group, cycles, target):
                total = chain.luts + luts
                if out not in after or total < after[out].luts:
                    after[out] = Chain(luts=total, foldings={**chain.foldings, **added})
        states = after
    ends = [_ended(layers, group, chain, cycles, target) for group, chain in states.items()]
    return min((c for c in ends if c), key=lambda chain: chain.luts, default=None)


def _ended(
    layers: tuple[Layer, ...], group: int, chain: Chain, cycles: int, target: Target
) -> Chain | None:
    """`chain` with what sends its integers; None if that is too slow."""
    stages = output_stages(layers, group)
    if any(stage_cycles(stage) > cycles for stage in stages):
        return None
    return Chain(luts=chain.luts + _luts(stages, target), foldings=chain.foldings)


def _extensions(
    layer: Layer, group: int, cycles: int, target: Target
) -> Iterator[tuple[dict[str, LayerFolding], float, int]]:
    """Ways to put `layer` behind a stream of `group`: foldings, LUTs, the group it sends."""
    if isinstance(layer, PoolLayer):
        stages = pool_stages(layer, group)
        if all(stage_cycles(s) <= cycles for s in stages):
            yield {}, _luts(stages, target), group
        return
    best: dict[int, tuple[float, LayerFolding]] = {}
    for how in _choices(layer, cycles):
        simd = how.folding.simd
        if simd % group and group % simd:
            continue
        stages = linear_stages(layer, group, how)
        if any(stage_cycles(s) > cycles for s in stages):
            continue
        luts = _luts(stages, target)
        if how.tpe not in best or luts < best[how.tpe][0]:
            best[how.tpe] = (luts, how)
    for tpe, (luts, how) in best.items():
        yield {layer.name: how}, luts, tpe


def _choices(layer: LinearLayer, cycles: int) -> Iterator[LayerFolding]:
    """Foldings that are fast enough; among equals in PE and planes the least SIMD is enough."""
    outputs, inputs = layer.matrix.shape
    shares = layer.thresholds is not None
    for wp in divisors(layer.w_bits):
        for ap in divisors(layer.x.bits):
            steps = (layer.w_bits // wp) * (layer.x.bits // ap)
            for pe in divisors(outputs):
                for simd in divisors(inputs):
                    folding = Folding(pe=pe, simd=simd, wp=wp, ap=ap)
                    if folding.lanes > MAX_LANES:
                        break
                    busy = layer.pixels * (outputs // pe) * (inputs // simd) * steps
                    if busy > cycles:
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
) -> Chain:
    """Fewest LUTs at `interval_cycles`, or least interval within `luts`; both: check both.

    Raises: BudgetError, saying the least possible interval or the fewest LUTs possible.
    """
    if interval_cycles is not None:
        chain = fold_for_interval(graph, layers, interval_cycles, target)
        if chain is None:
            least = _least_interval(graph, layers, target, luts=None)
            raise BudgetError(
                f"an initiation interval of {interval_cycles} cycles cannot be met; "
                f"the least this network can reach is {least} cycles"
            )
        if luts is not None and chain.luts > luts:
            raise BudgetError(
                f"{interval_cycles} cycles a frame need {chain.luts:.0f} LUTs on {target.name}, "
                f"the budget is {luts}"
            )
        return chain
    limit = float("inf") if luts is None else luts
    slowest = fold_for_interval(graph, layers, _slowest(layers), target)
    assert slowest is not None
    if slowest.luts > limit:
        raise BudgetError(
            f"a budget of {luts} LUTs on {target.name} cannot be met; the smallest accelerator "
            f"of this network takes {slowest.luts:.0f}"
        )
    cycles = _least_interval(graph, layers, target, luts=luts)
    chain = fold_for_interval(graph, layers, cycles, target)
    assert chain is not None
    return chain


def _least_interval(
    graph: Graph, layers: tuple[Layer, ...], target: Target, luts: int | None
) -> int:
    """Least interval within the LUTs, by bisection: more cycles never need more LUTs."""
    low, high = 0, _slowest(layers)  # low fails, high works
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        chain = fold_for_interval(graph, layers, middle, target)
        if chain is not None and (luts is None or chain.luts <= luts):
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
        else:
            most = max(most, 4 * layer.x.bits * _size(layer.x.shape) * layer.pool.kernel[0] ** 2)
    return 2 * most


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
