"""The whole curve of area against rate: foldings of which none is both smaller and faster."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log, sqrt
from typing import final

from bitfold.compiler.budget import Budget, fastest, slowest_interval
from bitfold.compiler.compile import predict
from bitfold.compiler.folding import Chosen, Prices, fold_for_interval
from bitfold.compiler.instances import style_of
from bitfold.compiler.layers import Layer
from bitfold.compiler.plan import mode_shares
from bitfold.compiler.stages import build_stages
from bitfold.cost import read_target
from bitfold.cost.depths import with_depths
from bitfold.cost.ring import with_ring
from bitfold.cost.stages import Stage
from bitfold.ir import Graph

CLOSEST = 1.01  # intervals that differ by less are one point


@final
@dataclass(frozen=True, kw_only=True)
class Point:
    """One folding of a network, as the cost model sees it; `stages` is what is compiled.

    fps: at the clock of the front. binding: the stages that set the interval.
    one_percent: LUTs that a rate one percent higher costs; None where that cannot be reached.
    """

    interval_cycles: int
    latency_cycles: int
    fps: float
    luts: float
    ffs: float
    brams: int
    binding: tuple[str, ...]
    one_percent: float | None
    stages: tuple[Stage, ...]


def front(
    graph: Graph,
    layers: tuple[Layer, ...],
    target: str,
    *,
    clock_mhz: float = 50.0,
    points: int = 12,
    each: Callable[[], None] = lambda: None,
) -> tuple[Point, ...]:
    """Points from the smallest accelerator to the fastest, about evenly spaced by rate.

    Fewer than `points` where the network has no more. `each` is called once a point.
    """
    # With precision modes the others are to be as much faster as they compute less.
    prices = Prices(read_target(target), mode_shares(layers))
    found: list[Point] = []
    for chosen in _spread(graph, layers, prices):
        stages = build_stages(graph, layers, chosen.foldings, chosen.group)
        stages = with_ring(with_depths(stages, style_of(target)))
        faster = _one_percent(graph, layers, prices, chosen)
        # FIFOs, which the choice does not know, may turn near equals round.
        found = _undominated([*found, _point(stages, target, clock_mhz, faster)])
        each()
        if len(found) == points:
            break
    return tuple(sorted(found, key=lambda point: -point.interval_cycles))


def _undominated(points: list[Point]) -> list[Point]:
    return [
        p
        for p in points
        if not any(o.luts <= p.luts and o.interval_cycles < p.interval_cycles for o in points)
    ]


def one_percent(
    graph: Graph, layers: tuple[Layer, ...], prices: Prices, interval_cycles: int
) -> float | None:
    """LUTs that a rate one percent above one frame in `interval_cycles` costs; None: cannot be."""
    chosen = fold_for_interval(graph, layers, interval_cycles, prices)
    return None if chosen is None else _one_percent(graph, layers, prices, chosen)


def _one_percent(
    graph: Graph, layers: tuple[Layer, ...], prices: Prices, chosen: Chosen
) -> float | None:
    faster = fold_for_interval(graph, layers, floor(chosen.interval / 1.01), prices)
    return None if faster is None else faster.luts - chosen.luts


def _spread(graph: Graph, layers: tuple[Layer, ...], prices: Prices) -> Iterator[Chosen]:
    """The smallest, the fastest, then foldings that halve the widest gap on a scale of ratios."""
    smallest = fold_for_interval(graph, layers, slowest_interval(graph, layers, prices), prices)
    assert smallest is not None, "one lane at a time always works"
    known = {c.interval: c for c in (fastest(graph, layers, prices, Budget()), smallest)}
    yield from known.values()
    empty = {interval: interval for interval in known}  # up to here nothing but this one is found
    while True:
        gaps = [(log(high / empty[low]), low, high) for low, high in pairwise(sorted(known))]
        width, low, high = max(gaps, default=(0.0, 0, 0))
        if width < log(CLOSEST):
            return
        asked = round(sqrt(empty[low] * high))
        if asked in (empty[low], high):
            empty[low] = high
            continue
        chosen = fold_for_interval(graph, layers, asked, prices)
        assert chosen is not None
        if chosen.interval == low:
            empty[low] = asked
        else:
            known[chosen.interval] = chosen
            empty[chosen.interval] = asked
            yield chosen


def _point(stages: tuple[Stage, ...], target: str, clock_mhz: float, faster: float | None) -> Point:
    found = predict(stages, target, clock_mhz)
    return Point(
        interval_cycles=found["interval_cycles"],
        latency_cycles=found["latency_cycles"],
        fps=found["fps"],
        luts=found["luts"],
        ffs=found["ffs"],
        brams=found["brams"],
        binding=tuple(s["name"] for s in found["stages"] if s["binds"]),
        one_percent=faster,
        stages=stages,
    )
