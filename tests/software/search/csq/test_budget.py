"""The budget-aware regulariser: what it counts, its target, its gradient."""

import pytest
import torch

from bitfold.quant import trace
from bitfold.search.csq.budget import excess, regulariser, target_bits
from bitfold.search.csq.findings import average, span
from bitfold.search.csq.gates import PLANES, Gates
from bitfold.search.problem import KINDS, Problem, pose

from ..nets import SHAPE, net

LAYERS = trace(net(), SHAPE)


def problem(kind: str = "size", width: int = 4, first_last: int | str = "search") -> Problem:
    return pose(
        LAYERS,
        kind=kind,
        value=None,
        like_uniform=width,
        bits=(2, 3, 4, 5, 6, 7, 8),
        first_last=first_last,
        target="ecp5",
        seed=0,
    )


def gates(*masks: list[float]) -> list[Gates]:
    """Gates of which each has these mask logits, lowest bit first."""
    made = [Gates(torch.randn(2, 2), len(mask), "symmetric", 0.1) for mask in masks]
    with torch.no_grad():
        for each, mask in zip(made, masks, strict=True):
            each.mask_logits.copy_(torch.tensor(mask))
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [2, 3, 5, 8])
def test_the_target_is_the_width_that_spends_the_budget_less_the_sign(
    kind: str, width: int
) -> None:
    posed = problem(kind, width)
    if kind == "luts":  # flat where a memory moves into block RAM
        assert 1 <= target_bits(posed, width, PLANES) <= width - 1 + 1e-9
    else:
        assert target_bits(posed, width, PLANES) == pytest.approx(width - 1)


def test_the_target_lies_between_whole_bits_and_leaves_fixed_layers_out() -> None:
    posed = problem("size", 8, first_last=8)
    assert target_bits(posed, 8, PLANES) == pytest.approx(7)
    costs, weights = posed.costs, 72 + 576 + 320
    between = Problem(costs=costs, limit=weights * 3.5, bits=posed.bits, fixed={}, seed=0)
    assert target_bits(between, 8, PLANES) == pytest.approx(2.5)
    assert target_bits(between, 8, 2) == 2


def test_r_is_the_weighted_share_of_masks_that_are_on() -> None:
    made = gates([-1, 0.0, 1, 1], [-1, -1, -1, 1])
    over = excess(made, [0.75, 0.25], 2.0)
    assert over.item() == pytest.approx((0.75 * 3 + 0.25 * 1 - 2) / 4)
    assert not over.requires_grad
    assert excess(made, [0.5, 0.5], 2.5).item() == pytest.approx((2 - 2.5) / 4)


@pytest.mark.parametrize("target", [1.0, 3.5], ids=["above", "below"])
def test_the_gradient_moves_every_mask_towards_the_target(target: float) -> None:
    made = gates([-0.2, 0.1, 0.3], [-0.1, 0.1, 0.2])
    for each in made:
        each.temperature.fill_(4.0)
    parts = [0.6, 0.4]
    regulariser(made, parts, target).backward()
    over = (0.6 * 2 + 0.4 * 2 - target) / 3
    for each in made:
        f = torch.sigmoid(4 * each.mask_logits.detach())
        assert each.mask_logits.grad is not None
        torch.testing.assert_close(each.mask_logits.grad, over * 4 * f * (1 - f))
        # Descent: down when there are too many bits, up when there are too few.
        assert (each.mask_logits.grad > 0).all() == (target == 1.0)
        assert each.scale.grad is None


def test_a_layer_is_left_alone_where_one_bit_of_it_overshoots() -> None:
    """r is a quarter of a bit too high; a bit of the large layer would be 0.9."""
    made = gates([0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1])
    regulariser(made, [0.9, 0.1], 3.75).backward()
    large, small = (each.mask_logits.grad for each in made)
    assert large is not None
    assert small is not None
    assert not large.any()
    assert (small > 0).all()


@pytest.mark.parametrize(
    ("masks", "pushed"),
    [
        ("1100000", "1110000"),
        ("0110100", "1111000"),
        ("1010011", "1100000"),
        ("1111111", "1111111"),
        ("0000001", "1111111"),
    ],
)
def test_below_the_target_no_bit_grows_below_one_that_is_off(masks: str, pushed: str) -> None:
    """Highest bit first; what is above the highest that is on may grow as well."""
    (made,) = gates([1.0 if on == "1" else -1.0 for on in reversed(masks)])
    regulariser([made], [1.0], 7.5).backward()
    assert made.mask_logits.grad is not None
    assert "".join("01"[int(g < 0)] for g in made.mask_logits.grad.flip(0)) == pushed
    made.mask_logits.grad = None
    regulariser([made], [1.0], 0.0).backward()
    assert (made.mask_logits.grad > 0).all()


def test_the_mean_of_resnet20_is_the_published_ratio() -> None:
    """HAWQ's bits of ResNet-20 as the authors of BSQ and CSQ count: 13.11 times smaller."""
    weights = [432, *[2304] * 6, 4608, *[9216] * 5, 18432, *[36864] * 5, 650]
    bits = [8, 6, 6, 6, 6, 8, 8, *[3] * 6, *[2] * 6, 3]
    assert sum(weights) == 268_346
    assert 32 / average(bits, weights) == pytest.approx(13.107, abs=5e-4)
    assert average([], []) == 0


def test_the_span_of_masks_counts_their_holes() -> None:
    on = torch.tensor([False, False, True, False, True, True, False])
    assert span(on) == 4
    assert span(torch.zeros(7, dtype=torch.bool)) == 0
