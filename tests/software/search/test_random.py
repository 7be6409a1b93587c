"""Policies by chance."""

from collections import Counter

import numpy as np
import pytest
from torch import nn

from bitfold.models import convnet
from bitfold.policy import LayerBits
from bitfold.quant import trace
from bitfold.search.costs import KINDS
from bitfold.search.problem import Problem, pose
from bitfold.search.random import Random

LAYERS = trace(convnet((1, 8, 8), 10, (8, 8, 12), (1, 2)), (1, 8, 8))


def problem(
    kind: str, seed: int = 0, like: int = 3, first_last: int | str = "search", **changes: object
) -> Problem:
    settings: dict[str, object] = {
        "kind": kind,
        "value": None,
        "like_uniform": like,
        "bits": (2, 3, 4, 5, 6),
        "first_last": first_last,
        "target": "ecp5",
        "seed": seed,
    }
    return pose(LAYERS, **{**settings, **changes})


def drawn(posed: Problem, draw: int = 0, *, tied: bool = False) -> dict[str, LayerBits]:
    return Random(posed, draw=draw, tied=tied).policy(nn.Identity())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("like", [3, 4, 5])
def test_a_draw_spends_the_budget(kind: str, like: int) -> None:
    for seed in range(5):
        posed = problem(kind, seed, like)
        spent = posed.costs.total(drawn(posed))
        assert 0.98 * posed.limit <= spent <= posed.limit


@pytest.mark.parametrize("kind", KINDS)
def test_fixed_layers_keep_their_bits_and_tied_ones_are_tied(kind: str) -> None:
    posed = problem(kind, first_last=6)
    policy = drawn(posed, tied=True)
    assert posed.keeps(policy)
    assert policy["conv1"] == policy["dense"] == LayerBits(w_bits=6, a_bits=6)
    assert all(bits.w_bits == bits.a_bits for bits in policy.values())


def test_seed_and_draw_decide_the_policy() -> None:
    first = drawn(problem("bitops", 1), 2)
    assert drawn(problem("bitops", 1), 2) == first
    others = [drawn(problem("bitops", 1), 3), drawn(problem("bitops", 2), 2)]
    assert first not in others
    assert others[0] != others[1]


def test_every_width_is_drawn_in_every_layer() -> None:
    seen: dict[str, set[int]] = {layer.name: set() for layer in LAYERS}
    for draw in range(60):
        for name, bits in drawn(problem("average_bits", like=4), draw).items():
            seen[name] |= {bits.w_bits, bits.a_bits}
    assert all(len(widths) == 5 for widths in seen.values())


def test_policies_that_spend_the_budget_are_alike_likely() -> None:
    posed = problem("size", bits=(2, 3, 4), like=3)
    weights = np.array([72, 576, 864, 480])
    every = np.array(np.meshgrid(*[(2, 3, 4)] * 4)).reshape(4, -1).T
    spent = every @ weights / posed.limit
    fit = {tuple(row) for row in every[(spent <= 1) & (spent >= 0.98)].tolist()}
    assert 3 <= len(fit) <= 12
    count: Counter[tuple[int, ...]] = Counter()
    draws = 60 * len(fit)
    for draw in range(draws):
        policy = drawn(posed, draw)
        count[tuple(bits.w_bits for bits in policy.values())] += 1
    assert set(count) == fit
    # Binomial with mean 60: five standard deviations, and the tilt's 2 %.
    assert all(20 <= n <= 100 for n in count.values())


def test_a_budget_that_draws_hardly_meet_is_met_by_repair() -> None:
    """The least budget: one policy keeps it, of 25 ** 4."""
    posed = problem("bitops")
    least = posed.costs.total(posed.uniform(2))
    posed = problem("bitops", value=least * 1.001, like_uniform=None)
    assert drawn(posed) == posed.uniform(2)
    posed = problem("bitops", also=[("size", None, 2)])
    policy = drawn(posed)
    assert posed.keeps(policy)
    assert {bits.w_bits for bits in policy.values()} == {2}
    assert posed.costs.total(policy) >= 0.98 * posed.limit
