"""Costs and budgets in the five kinds."""

import itertools

import numpy as np
import pytest

from bitfold.errors import BudgetError
from bitfold.models import convnet
from bitfold.policy import LayerBits
from bitfold.quant import trace
from bitfold.search.problem import KINDS, Problem, pose
from bitfold.search.uniform import Uniform

from .nets import SHAPE, net

LAYERS = trace(net(), SHAPE)


def problem(kind: str, **changes: object) -> Problem:
    settings: dict[str, object] = {
        "kind": kind,
        "value": None,
        "like_uniform": 3,
        "bits": (2, 3, 4),
        "first_last": "search",
        "target": "ecp5",
        "seed": 0,
    }
    return pose(LAYERS, **{**settings, **changes})


def test_costs_by_hand() -> None:
    """conv1: 9 inputs, 8 outputs, 64 pixels; conv2: 72, 8, 16; dense: 32, 10."""
    level = LayerBits(w_bits=3, a_bits=4)
    policy = {layer.name: level for layer in LAYERS}
    macs = 9 * 8 * 64 + 72 * 8 * 16 + 32 * 10
    weights = 9 * 8 + 72 * 8 + 32 * 10
    assert problem("bitops").costs.total(policy) == macs * 12
    assert problem("size").costs.total(policy) == weights * 3
    assert problem("average_bits").costs.total(policy) == pytest.approx(3.5)
    # Reference folding: PE 8, SIMD 9 for conv1; 8, 12 for conv2; 5, 16 for dense.
    cycles = max(64 * 1 * 1, 16 * 1 * 6, 2 * 2) * 12
    assert problem("cycles").costs.total(policy) == cycles
    assert problem("luts").costs.total(policy) > 0


def test_average_bits_of_a_uniform_policy_is_its_width() -> None:
    posed = problem("average_bits")
    assert posed.limit == pytest.approx(3)
    assert posed.costs.total(posed.uniform(2)) == pytest.approx(2)


@pytest.mark.parametrize("kind", KINDS)
def test_table_agrees_with_total_for_every_kind(kind: str) -> None:
    posed = problem(kind, bits=(2, 4))
    table = posed.table()
    for picks in itertools.product(itertools.product((0, 1), repeat=2), repeat=len(LAYERS)):
        parts = [float(table[i, w, a]) for i, (w, a) in enumerate(picks)]
        policy = {
            layer.name: LayerBits(w_bits=(2, 4)[w], a_bits=(2, 4)[a])
            for layer, (w, a) in zip(LAYERS, picks, strict=True)
        }
        assert posed.costs.total(policy) == pytest.approx(posed.costs.join(parts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_budget_like_uniform_is_the_cost_of_that_width(kind: str) -> None:
    posed = problem(kind)
    assert posed.limit == posed.costs.total(posed.uniform(3))
    assert Uniform(posed).policy(net()) == posed.uniform(3)


@pytest.mark.parametrize("kind", KINDS)
def test_an_impossible_budget_names_the_least_possible(kind: str) -> None:
    posed = problem(kind)
    least = posed.costs.total(posed.uniform(2))
    with pytest.raises(BudgetError, match="the least possible is") as caught:
        problem(kind, like_uniform=None, value=least * 0.9)
    assert f"{least:g}" in str(caught.value)
    problem(kind, like_uniform=None, value=least)


def test_first_and_last_layer_keep_their_fixed_bits() -> None:
    posed = problem("bitops", first_last=8)
    assert [layer.name for layer in posed.searched] == ["conv2"]
    policy = posed.uniform(2)
    assert policy["conv1"] == policy["dense"] == LayerBits(w_bits=8, a_bits=8)
    assert list(policy) == ["conv1", "conv2", "dense"]
    assert posed.fixed_cost == (9 * 8 * 64 + 32 * 10) * 64
    assert posed.table().shape == (1, 3, 3)


def test_uniform_takes_the_most_bits_that_fit() -> None:
    posed = problem("bitops", like_uniform=None, value=problem("bitops").limit * 1.5)
    assert Uniform(posed).policy(net()) == posed.uniform(3)


def test_a_policy_keeps_every_budget() -> None:
    posed = problem("bitops", also=[("size", None, 2), ("cycles", 1e9, None)])
    kinds = [budget.costs.kind for budget in posed.budgets]
    assert kinds == ["bitops", "size", "cycles"]
    assert posed.also[0].limit == (9 * 8 + 72 * 8 + 32 * 10) * 2
    assert posed.keeps(posed.uniform(2))
    assert not posed.keeps(posed.uniform(3))
    assert Uniform(posed).policy(net()) == posed.uniform(2)


def test_budgets_that_no_policy_keeps_together_are_named() -> None:
    """Of this net a layer takes fewer LUTs at more bits: its memories are block RAM then."""
    layers = trace(convnet(SHAPE, 10, (16, 64), (1, 2)), SHAPE)

    def posed(kind: str, value: float, *also: tuple[str, float, None]) -> Problem:
        return pose(
            layers,
            kind=kind,
            value=value,
            like_uniform=None,
            bits=(2, 8),
            first_last="search",
            target="ecp5",
            seed=0,
            also=also,
        )

    loose = posed("luts", 1e9)
    luts = sum(loose.table().min((1, 2)))
    assert luts < loose.costs.total(loose.uniform(2))
    size = posed("size", 1e9).costs.total(loose.uniform(2))
    posed("luts", luts + 1)
    posed("size", size)
    posed("size", size, ("luts", loose.costs.total(loose.uniform(2)), None))
    with pytest.raises(BudgetError, match=r"size \d+, luts [\d.]+: each can be met, but not all"):
        posed("size", size, ("luts", luts + 1, None))


def test_costs_grow_with_bits() -> None:
    for kind in KINDS:
        table = problem(kind, bits=(2, 3, 4, 5, 6)).table()
        if kind == "luts":
            # Not step by step: a memory that grows past a border moves into block RAM and takes
            # its LUTs along. The fewest bits still take the fewest LUTs.
            assert (table > 0).all()
            assert (table.min(axis=(1, 2)) == table[:, 0, 0]).all()
            continue
        assert (np.diff(table, axis=1) >= 0).all(), kind
        assert (np.diff(table, axis=2) >= 0).all(), kind
