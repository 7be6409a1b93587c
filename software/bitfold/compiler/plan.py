"""From layers and a wish to stages: the folding, the FIFOs of branches, the ring of modes."""

from math import floor, inf

from bitfold.compiler.budget import Budget, fold
from bitfold.compiler.folding import Prices
from bitfold.compiler.instances import style_of
from bitfold.compiler.layers import Layer, LinearLayer
from bitfold.compiler.stages import build_stages
from bitfold.cost import read_target
from bitfold.cost.depths import with_depths
from bitfold.cost.ring import parts_of, with_ring
from bitfold.cost.stages import Stage
from bitfold.errors import BudgetError, ConfigError
from bitfold.ir import Graph

FITTINGS = 4  # foldings tried until the FIFOs fit beside them
POWERS = (1.0, 0.75, 0.5, 0.25)  # of what a mode computes less, tried in turn as what it takes less


def plan(
    graph: Graph,
    layers: tuple[Layer, ...],
    *,
    fps: float | None,
    luts: float | None,
    target: str,
    clock_mhz: float,
    brams: float | None = None,
    prices: Prices | None = None,
) -> tuple[Stage, ...]:
    """Fold the layers for the rate or the budget, and lay out the stages.

    prices: those of the target where a caller has more to ask of them.

    With precision modes rate and budget are those of the slowest. The others are to be as much
    faster as they compute less: what streams and thresholds take is the same in all modes, so it is
    folded for the fastest. Where that cannot be, they are as much faster as can be, in steps.
    """
    check_rate("clock_mhz", clock_mhz)
    check_rate("fps", 1000.0 if fps is None else fps)
    if fps is None and luts is None and brams is None:
        fps = 1000.0
    cycles = None if fps is None else max(1, floor(clock_mhz * 1e6 / fps))
    budget = Budget(luts=luts, brams=brams)
    shares = mode_shares(layers)
    for power in POWERS if len(shares) > 1 else ():
        scaled = Prices(read_target(target), tuple(share**power for share in shares))
        try:
            return _fit(graph, layers, scaled, cycles, budget)
        except BudgetError:
            continue
    try:
        return _fit(graph, layers, prices or Prices(read_target(target)), cycles, budget)
    except BudgetError as error:
        if fps is None:
            raise
        raise BudgetError(
            f"{error}. Asked for are {fps:g} frames a second at {clock_mhz:g} MHz (--fps)"
        ) from None


def check_rate(name: str, value: float) -> None:
    """Raises: ConfigError for what is no frequency; infinite and not a number are none."""
    if not 0 < value < inf:
        raise ConfigError(f"{name} must be positive and finite, got {value}")


def mode_shares(layers: tuple[Layer, ...]) -> tuple[float, ...]:
    """What part of the binary products of the most precise mode each mode has; (1,) without."""
    linear = [layer for layer in layers if isinstance(layer, LinearLayer)]
    modes = max((len(x.modes.kept) for x in linear if x.modes), default=1)
    totals = [0] * modes
    for layer in linear:
        kept = layer.modes.kept if layer.modes else ((layer.w_bits, layer.x.bits),) * modes
        for mode, (w, a) in enumerate(kept):
            totals[mode] += layer.macs * w * a
    most = max(totals)
    return tuple(total / most for total in totals) if most else (1.0,) * modes


def _fit(
    graph: Graph, layers: tuple[Layer, ...], prices: Prices, cycles: int | None, whole: Budget
) -> tuple[Stage, ...]:
    """Folded so that what is found later fits into the budget as well: the FIFOs of branches, and
    ring and registers of modes. Raises: BudgetError."""
    left, target = whole, prices.target.name
    for _ in range(FITTINGS):
        chosen = fold(graph, layers, prices, interval_cycles=cycles, budget=left)
        stages = build_stages(graph, layers, chosen.foldings, chosen.group)
        stages = with_ring(with_depths(stages, style_of(target)))
        price = prices.with_parts(stages, parts_of(stages))
        if whole.allows(price):
            return stages
        # They follow from the folding, so that it did not know them.
        left = left.less(max(0.0, price.luts - chosen.luts), max(0.0, price.brams - chosen.brams))
    raise BudgetError(
        f"a budget of {whole} on {target} cannot be met beside what joins and feeds the layers "
        f"(FIFOs of branches, registers of modes), which comes to {price.luts - chosen.luts:.0f} "
        f"LUTs and {price.brams - chosen.brams:g} block RAMs"
    )
