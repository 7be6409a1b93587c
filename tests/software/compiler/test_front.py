"""The front of area against rate."""

from itertools import pairwise

import pytest

from bitfold.compiler.budget import Budget, fold
from bitfold.compiler.compile import predict
from bitfold.compiler.folding import Prices
from bitfold.compiler.front import front, one_percent
from bitfold.compiler.instances import style_of
from bitfold.compiler.lower import lower
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.stages import build_stages
from bitfold.cost import interval, read_target
from bitfold.cost.depths import with_depths
from bitfold.errors import BudgetError
from branch_graphs import residual
from integer_graphs import digits_like


@pytest.mark.parametrize(("make", "target"), [(digits_like, "xc7"), (residual, "ecp5")])
def test_points_run_from_the_smallest_to_the_fastest_and_none_is_dominated(make, target):
    graph = run_pipeline(make())
    layers, prices = lower(graph), Prices(read_target(target))
    seen = []
    points = front(graph, layers, target, points=10, each=lambda: seen.append(1))
    assert len(points) == 10
    assert len(seen) >= 10
    for slow, fast in pairwise(points):
        assert slow.interval_cycles > fast.interval_cycles
        assert slow.luts < fast.luts
    for point in points:
        assert interval(point.stages) == point.interval_cycles
        best = fold(graph, layers, prices, interval_cycles=point.interval_cycles, budget=Budget())
        assert best.interval == point.interval_cycles
        assert point.fps == pytest.approx(50e6 / point.interval_cycles)
        assert point.binding
    smallest = fold(graph, layers, prices, interval_cycles=10**9, budget=Budget())
    # FIFOs, which the choice does not know, may make a faster point smaller than the smallest.
    stages = build_stages(graph, layers, smallest.foldings, smallest.group)
    stages = with_depths(stages, style_of(target))
    assert points[0].interval_cycles <= smallest.interval
    assert points[0].luts <= predict(stages, target, 50.0)["luts"]
    with pytest.raises(BudgetError, match=f"least .* is {points[-1].interval_cycles} cycles"):
        fold(graph, layers, prices, interval_cycles=points[-1].interval_cycles - 1, budget=Budget())


def test_one_percent_more_is_what_the_next_folding_takes():
    graph = run_pipeline(digits_like())
    layers, prices = lower(graph), Prices(read_target("ecp5"))
    points = front(graph, layers, "ecp5", points=6)
    for point in points[:-1]:
        now = fold(graph, layers, prices, interval_cycles=point.interval_cycles, budget=Budget())
        asked = int(point.interval_cycles / 1.01)
        then = fold(graph, layers, prices, interval_cycles=asked, budget=Budget())
        assert point.one_percent == then.luts - now.luts
        assert one_percent(graph, layers, prices, point.interval_cycles) == point.one_percent
    assert points[-1].one_percent is None


def test_a_network_without_more_points_gives_fewer():
    graph = run_pipeline(digits_like(w_bits=1, a_bits=1))
    points = front(graph, lower(graph), "xc7", points=500)
    assert [p.interval_cycles for p in points] == [1728, 1296]
