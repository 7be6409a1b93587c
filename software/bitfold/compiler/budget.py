"""The best folding within a budget: the fewest LUTs for a rate, or the best rate for an area.

Block RAMs are limited by a price: of all choices the one with the least LUTs + price * block RAMs
is found, and the price is raised until they suffice (Everett, Operations Research 1963). Each such
choice has the fewest LUTs of all with as many block RAMs; one whose number lies between those of
two prices may be missed.
"""

from dataclasses import dataclass
from math import sqrt
from typing import final

from bitfold.compiler.folding import Chosen, Price, Prices, fold_for_interval
from bitfold.compiler.layers import ChannelLayer, Layer, LinearLayer
from bitfold.compiler.stages import LayerFolding, build_stages
from bitfold.cost import Folding
from bitfold.errors import BudgetError
from bitfold.ir import Graph

BRAM_PRICES = (20.0, 200.0, 2_000.0, 20_000.0)  # in LUTs, tried in turn
REFINEMENTS = 4  # bisections between the last two
LUTS_A_LANE = 8.0  # with all else that an accelerator has: where a bisection begins, no more


@final
@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that a choice may take; None: as much as there is."""

    luts: float | None = None
    brams: float | None = None

    def __str__(self) -> str:
        limits = ((self.luts, "LUTs"), (self.brams, "block RAMs"))
        return " and ".join(f"{most:g} {name}" for most, name in limits if most is not None)

    def less(self, luts: float, brams: float) -> "Budget":
        """What is left of it beside an area that is spoken for."""
        return Budget(
            luts=None if self.luts is None else self.luts - luts,
            brams=None if self.brams is None else self.brams - brams,
        )

    def allows(self, chosen: Chosen | Price) -> bool:
        """Whether the choice keeps it."""
        pairs = ((self.luts, chosen.luts), (self.brams, chosen.brams))
        return all(most is None or taken <= most for most, taken in pairs)


def fold_within(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, prices: Prices, budget: Budget
) -> Chosen | None:
    """As `fold_for_interval`, with the block RAMs of the budget; None where nothing keeps it."""
    chosen = fold_for_interval(graph, layers, cycles, prices)
    if chosen is None or budget.brams is None or chosen.brams <= budget.brams:
        return chosen if chosen and budget.allows(chosen) else None
    best, low, high = None, 1.0, 0.0
    for price in BRAM_PRICES:
        chosen = fold_for_interval(graph, layers, cycles, prices, price)
        assert chosen is not None, "a price changes no rate"
        if chosen.brams <= budget.brams:
            best, high = chosen, price
            break
        low = price
    for _ in range(REFINEMENTS if best else 0):
        middle = sqrt(low * high)
        chosen = fold_for_interval(graph, layers, cycles, prices, middle)
        assert chosen is not None
        if chosen.brams <= budget.brams:
            best, high = chosen, middle
        else:
            low = middle
    return best if best and budget.allows(best) else None


def fold(
    graph: Graph,
    layers: tuple[Layer, ...],
    prices: Prices,
    *,
    interval_cycles: int | None,
    budget: Budget,
) -> Chosen:
    """Fewest LUTs at `interval_cycles`, or least interval within the budget; both: check both.

    prices: of the target; remembers, so that further questions about `layers` are quick.
    Raises: BudgetError, saying the least possible interval or the fewest LUTs possible.
    """
    if interval_cycles is not None:
        chosen = fold_within(graph, layers, interval_cycles, prices, budget)
        if chosen is not None:
            return chosen
        free = fold_for_interval(graph, layers, interval_cycles, prices)
        if free is None:
            least = fastest(graph, layers, prices, Budget())
            stages = build_stages(graph, layers, least.foldings, least.group)
            slow = max(stages, key=lambda stage: prices.of((stage,)).cycles)
            raise BudgetError(
                f"an initiation interval of {interval_cycles} cycles cannot be met; "
                f"the least this network can reach is {least.interval} cycles, which "
                f"{slow.name!r} takes"
            )
        raise BudgetError(
            f"{interval_cycles} cycles a frame on {prices.target.name} take "
            f"{_least(graph, layers, interval_cycles, prices, budget)}; the budget is {budget}"
        )
    return fastest(graph, layers, prices, budget)


def fastest(graph: Graph, layers: tuple[Layer, ...], prices: Prices, budget: Budget) -> Chosen:
    """Least interval within the budget, by bisection: more cycles never need more LUTs.

    Raises: BudgetError.
    """
    slowest = slowest_interval(graph, layers, prices)
    cycles, low = _guess(layers, budget, slowest), 0  # low fails
    best = fold_within(graph, layers, cycles, prices, budget)
    while best is None and cycles < slowest:
        cycles, low = min(2 * cycles, slowest), cycles
        best = fold_within(graph, layers, cycles, prices, budget)
    if best is None:
        raise BudgetError(
            f"a budget of {budget} on {prices.target.name} cannot be met; the smallest "
            "accelerator of this network takes "
            f"{_least(graph, layers, slowest, prices, budget)}"
        )
    while best.interval - low > 1:
        middle = (low + best.interval) // 2
        chosen = fold_within(graph, layers, middle, prices, budget)
        if chosen is not None:
            best = chosen
        else:
            low = middle
    return best


def _guess(layers: tuple[Layer, ...], budget: Budget, slowest: int) -> int:
    """Where to begin: foldings far from the interval that is found need not be priced."""
    if budget.luts is None:
        return slowest
    linear = (layer for layer in layers if isinstance(layer, LinearLayer))
    work = sum(layer.macs * layer.w_bits * layer.x.bits for layer in linear)
    return max(1, min(slowest, round(LUTS_A_LANE * work / max(budget.luts, 1.0))))


def _least(
    graph: Graph, layers: tuple[Layer, ...], cycles: int, prices: Prices, budget: Budget
) -> str:
    """The fewest LUTs, and where block RAMs are limited, what the fewest of them come to; with the
    stage that has the most LUTs of them."""
    said = []
    for price in (0.0,) if budget.brams is None else (0.0, BRAM_PRICES[-1]):
        chosen = fold_for_interval(graph, layers, cycles, prices, price)
        assert chosen is not None, "one lane at a time always works"
        stages = build_stages(graph, layers, chosen.foldings, chosen.group)
        large = max(stages, key=lambda stage: prices.of((stage,)).luts)
        said.append(
            f"{chosen.luts:.0f} LUTs and {chosen.brams:g} block RAMs, {large.name!r} the most, "
            f"{prices.of((large,)).luts:.0f} LUTs"
        )
    return "; or ".join(dict.fromkeys(said))


def slowest_interval(graph: Graph, layers: tuple[Layer, ...], prices: Prices) -> int:
    """Cycles of one lane and one channel at a time everywhere: nothing takes more."""
    one = LayerFolding(folding=Folding(pe=1, simd=1, wp=1, ap=1), tpe=1)
    alone = LayerFolding(folding=None, tpe=1)
    kinds = ((LinearLayer, one), (ChannelLayer, alone))
    foldings = {x.name: how for x in layers for kind, how in kinds if isinstance(x, kind)}
    return prices.of(build_stages(graph, layers, foldings, group=1)).cycles
