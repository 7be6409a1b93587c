from itertools import product

import numpy as np
import pytest

from bitfold.compiler.budget import Budget, fold, fold_within, slowest_interval
from bitfold.compiler.folding import Chosen, Prices, fold_for_interval
from bitfold.compiler.layers import Layer, LinearLayer
from bitfold.compiler.lower import lower
from bitfold.compiler.memories import block_matrix
from bitfold.compiler.menu import Menu
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.stages import LayerFolding, build_stages
from bitfold.cost import Folding, interval, read_target, stage_brams, stage_luts
from bitfold.cost.shape import divisors
from bitfold.cost.units import Mvtu
from bitfold.errors import BudgetError
from bitfold.ir import Graph
from integer_graphs import ChainBuilder, digits_like
from random_graphs import random_graph

TARGET = read_target("ecp5")


def exhaustive(graph, layers, cycles):
    """Fewest LUTs over every combination of legal foldings, the slow way."""
    best = None
    linear = [layer for layer in layers if isinstance(layer, LinearLayer)]
    choices = []
    for layer in linear:
        outputs, inputs = layer.matrix.shape
        choices.append(
            [
                LayerFolding(folding=Folding(pe=pe, simd=simd, wp=wp, ap=ap), tpe=tpe)
                for pe in divisors(outputs)
                for simd in divisors(inputs)
                for wp in divisors(layer.w_bits)
                for ap in divisors(layer.x.bits)
                for tpe in (divisors(pe) if layer.thresholds else (pe,))
            ]
        )
    for hows in product(*choices):
        group, legal = 1, True
        for how in hows:
            simd = how.folding.simd
            legal &= simd % group == 0 or group % simd == 0
            group = how.tpe
        if not legal:
            continue
        named = {layer.name: how for layer, how in zip(linear, hows, strict=True)}
        stages = build_stages(graph, layers, named)
        if interval(stages) <= cycles:
            luts = sum(stage_luts(s, TARGET) for s in stages)
            best = luts if best is None else min(best, luts)
    return best


def small(code_bits=0):
    """A convolution and a dense layer, which gives accumulators or codes."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((1, 4, 4), 2)
    b.conv("conv", 4, (2, 2), 2)
    b.thresholds("q", 2)
    b.flatten()
    b.dense("fc", 3, 2)
    if code_bits:
        b.thresholds("q2", code_bits)
    return b.graph()


def folded(graph: Graph, layers: tuple[Layer, ...], cycles: int) -> Chosen | None:
    try:
        return fold(graph, layers, Prices(TARGET), interval_cycles=cycles, budget=Budget())
    except BudgetError:
        return None


@pytest.mark.parametrize(("cycles", "code_bits"), [(150, 0), (300, 2), (700, 0), (2000, 0)])
def test_folding_equals_exhaustive_search(cycles, code_bits):
    graph = small(code_bits)
    layers = lower(graph)
    chain = folded(graph, layers, cycles)
    wanted = exhaustive(graph, layers, cycles)
    assert (chain is None) == (wanted is None)
    if chain is not None:
        assert chain.luts == pytest.approx(wanted)


def test_interval_is_met_and_fewer_luts_are_slower():
    graph = digits_like()
    layers = lower(graph)
    fast = fold(graph, layers, Prices(TARGET), interval_cycles=2000, budget=Budget())
    slow = fold(graph, layers, Prices(TARGET), interval_cycles=20000, budget=Budget())
    assert interval(build_stages(graph, layers, dict(fast.foldings))) <= 2000
    assert slow.luts < fast.luts


def test_lut_budget_gives_the_best_rate_within_it():
    graph = digits_like()
    layers = lower(graph)
    chain = fold(graph, layers, Prices(TARGET), interval_cycles=None, budget=Budget(luts=3000))
    assert chain.luts <= 3000
    reached = interval(build_stages(graph, layers, dict(chain.foldings)))
    assert chain.interval == reached
    faster = folded(graph, layers, reached - 1)
    assert faster is None or faster.luts > 3000


@pytest.mark.parametrize("seed", range(12))
def test_the_best_rate_of_random_networks_is_the_best(seed):
    graph = run_pipeline(random_graph(seed))
    layers = lower(graph)
    smallest = fold(graph, layers, Prices(TARGET), interval_cycles=10**9, budget=Budget())
    budget = round(1.5 * smallest.luts)
    best = fold(graph, layers, Prices(TARGET), interval_cycles=None, budget=Budget(luts=budget))
    assert interval(build_stages(graph, layers, best.foldings, best.group)) == best.interval
    same = fold(graph, layers, Prices(TARGET), interval_cycles=best.interval, budget=Budget())
    assert same.luts <= budget
    faster = folded(graph, layers, best.interval - 1)
    assert faster is None or faster.luts > budget


def test_impossible_interval_says_the_least():
    graph = digits_like()
    with pytest.raises(BudgetError, match=r"interval of 10 cycles .* least .* is \d+ cycles"):
        fold(graph, lower(graph), Prices(TARGET), interval_cycles=10, budget=Budget())


def test_block_rams_are_kept_at_the_price_of_luts():
    graph = digits_like()
    layers, prices = lower(graph), Prices(TARGET)
    free = fold_for_interval(graph, layers, 20000, prices)
    assert free is not None
    seen = []
    for most in range(int(free.brams), -1, -1):
        chosen = fold_within(graph, layers, 20000, prices, Budget(brams=most))
        if chosen is None:
            break
        assert chosen.brams <= most
        assert chosen.interval <= 20000
        stages = build_stages(graph, layers, chosen.foldings, chosen.group)
        assert chosen.luts == pytest.approx(sum(stage_luts(s, TARGET) for s in stages))
        assert chosen.brams == sum(stage_brams(s, TARGET) for s in stages)
        seen.append(chosen.luts)
    assert len(set(seen)) > 1
    assert seen == sorted(seen)
    assert fold_within(graph, layers, 20000, prices, Budget(luts=seen[-1], brams=free.brams))


def test_the_fastest_within_luts_and_block_rams_keeps_both():
    graph = digits_like()
    layers, prices = lower(graph), Prices(TARGET)
    by_luts = fold(graph, layers, prices, interval_cycles=None, budget=Budget(luts=6000))
    most = by_luts.brams / 2
    both = fold(graph, layers, prices, interval_cycles=None, budget=Budget(luts=6000, brams=most))
    assert both.luts <= 6000
    assert both.brams <= most
    assert both.interval >= by_luts.interval
    with pytest.raises(BudgetError, match=r"2200 LUTs and 0 block RAMs .* takes \d+ LUTs and \d+"):
        fold(graph, layers, prices, interval_cycles=None, budget=Budget(luts=2200, brams=0))


def test_impossible_lut_budget_says_the_fewest():
    graph = digits_like()
    with pytest.raises(BudgetError, match=r"budget of 5 LUTs .* takes \d+"):
        fold(graph, lower(graph), Prices(TARGET), interval_cycles=None, budget=Budget(luts=5))


@pytest.mark.parametrize("shares", [(1.0,), (1.0, 0.01)])
def test_a_budget_is_met_where_reading_takes_longer_than_computing(shares):
    """A stride that leaves out most of a map; and a mode that computes almost nothing."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((1, 64, 64), 8)
    b.conv("sparse", 1, (3, 3), 2, stride=(63, 63), pads=(2, 2, 2, 2))
    graph = run_pipeline(b.graph())
    layers, prices = lower(graph), Prices(TARGET, shares)
    chosen = fold(graph, layers, prices, interval_cycles=None, budget=Budget(luts=10_000))
    assert chosen.interval == 64 * 64 * 8 / min(shares)
    assert slowest_interval(graph, layers, prices) == chosen.interval
    with pytest.raises(BudgetError, match="the smallest accelerator of this network takes"):
        fold(graph, layers, prices, interval_cycles=None, budget=Budget(luts=10))


def test_groups_take_the_cycles_of_what_they_multiply():
    """And of the zeros between the groups that share a block."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((16, 4, 4), 3)
    b.conv("grouped", 8, (3, 3), 2, groups=4, pads=(1, 1, 1, 1))
    graph = run_pipeline(b.graph())
    layers = lower(graph)
    (layer,) = layers
    assert isinstance(layer, LinearLayer)
    found = Menu(layer, 4).foldings
    assert {how.blocks for how in found} == {1, 2, 4}
    assert {how.blocks for how in Menu(layer, 8).foldings} == {1, 2}  # a beat of two groups
    for how in found:
        stages = build_stages(graph, layers, {"grouped": how}, 4)
        (unit,) = (s for s in stages if isinstance(s, Mvtu))
        assert unit.bitops == 16 * 8 * (9 * 4) * 3 * 2
        assert unit.weight_bits == 8 * (9 * 16 // how.blocks) * 2
        product = unit.nf * unit.sf * unit.steps * unit.pixels
        assert product * unit.lanes == unit.bitops * 4 // how.blocks


def test_a_block_of_outputs_keeps_the_columns_that_it_reads():
    matrix = np.arange(4 * 12).reshape(4, 12)  # two positions of six channels
    assert block_matrix(matrix, 2, 2).tolist() == [
        [0, 1, 2, 6, 7, 8],
        [12, 13, 14, 18, 19, 20],
        [27, 28, 29, 33, 34, 35],
        [39, 40, 41, 45, 46, 47],
    ]
    assert np.array_equal(block_matrix(matrix, 1, 1), matrix)
