"""The weight quantiser of the search: adjacent candidates, one choice per layer."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bitfold.quant.lsq import bounds, quantise
from bitfold.search.sdq.quantiser import (
    START,
    AdjacentQuantiser,
    best_step,
    better_step,
    clamp_betas,
    relative_errors,
)

BITS = (1, 2, 3, 4)


def weight(count: int = 300) -> Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(0)) * 0.1


def quantiser(*, stochastic: bool = True) -> AdjacentQuantiser:
    return AdjacentQuantiser(BITS, weight(), stochastic=stochastic, temperature=1.0)


def noises(count: int) -> Tensor:
    drawn = np.random.default_rng(0).gumbel(size=(count, 2))
    return torch.from_numpy(drawn.astype(np.float32))


def test_each_draw_is_one_choice_for_the_whole_layer_with_probability_beta() -> None:
    made, w = quantiser(), weight()
    high, low = made.quantised(w, 3), made.quantised(w, 2)
    assert not torch.equal(high, low)
    picked = []
    for noise in noises(2000):
        made.noise = noise
        out = made(w)
        assert torch.equal(out, high) or torch.equal(out, low)
        picked.append(torch.equal(out, high))
    assert np.mean(picked) == pytest.approx(START, abs=3 * (START * (1 - START) / 2000) ** 0.5)


def test_evaluation_is_at_the_current_candidate_whatever_was_drawn() -> None:
    made, w = quantiser(), weight()
    wanted = made.quantised(w, 3)
    made.eval()
    for noise in noises(50):
        made.noise = noise
        assert torch.equal(made(w), wanted)


@pytest.mark.parametrize("stochastic", [True, False])
def test_the_task_loss_alone_reaches_beta_in_a_real_layer(stochastic: bool) -> None:
    """A Gumbel branch whose logits are built afresh cuts the graph, and beta gets nothing."""
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, 3)
    made = AdjacentQuantiser(BITS, layer.weight, stochastic=stochastic, temperature=1.0)
    parametrize.register_parametrization(layer, "weight", made)
    made.noise = noises(1)[0]
    layer(torch.rand(5, 2, 6, 6)).square().mean().backward()
    assert made.betas.grad is not None
    assert (made.betas.grad != 0).tolist() == [False, False, True]  # the current one's, no other's
    assert layer.parametrizations.weight.original.grad.any()


def test_interpolation_mixes_both() -> None:
    made, w = quantiser(stochastic=False), weight()
    made.noise = noises(1)[0]
    high, low = made.quantised(w, 3), made.quantised(w, 2)
    torch.testing.assert_close(made(w), START * high + (1 - START) * low)


def test_one_bit_is_the_sign_times_the_step() -> None:
    """Not the case b = 1 of the uniform formula, which has no two levels in two's complement."""
    made, w = quantiser(), weight()
    for _ in range(3):
        made.step_down(w)
    assert made.current == 0
    step = made.steps[0].item()
    assert step == pytest.approx(w.abs().mean().item())
    torch.testing.assert_close(made(w), torch.where(w >= 0, step, -step))


def test_a_step_down_starts_afresh() -> None:
    made, w = quantiser(), weight() * 3
    with torch.no_grad():
        made.betas[2] = 0.05
    made.step_down(w)
    assert made.current == 2
    assert made.beta.item() == pytest.approx(START)
    assert made.steps[1].item() == best_step(w, 2).item()
    made.noise = noises(1)[0]
    made(w)
    wanted = relative_errors(w, made.quantised(w, 2), made.quantised(w, 1))
    assert torch.equal(made.errors, wanted)


def test_betas_are_kept_where_the_estimator_is_defined() -> None:
    made = quantiser()
    with torch.no_grad():
        made.betas.copy_(torch.tensor([-3.0, 0.5, 2.0]))
    clamp_betas(made.betas)
    assert made.betas.tolist() == pytest.approx([1e-3, 0.5, 1 - 1e-3])


@pytest.mark.parametrize("bits", range(1, 9))
def test_the_best_step_leaves_as_little_error_as_a_finer_search(bits: int) -> None:
    w = weight(2000)
    came = relative_errors(w, quantise(w, best_step(w, bits), bits, signed=True)).item()
    widest = w.abs().max().item() / bounds(bits, signed=True)[1]
    tries = (torch.tensor(widest * i / 400) for i in range(20, 500))
    least = min(relative_errors(w, quantise(w, t, bits, signed=True)).item() for t in tries)
    assert came <= 1.05 * least


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_steps_follow_the_weights(bits: int) -> None:
    def error(w: Tensor, step: Tensor) -> float:
        return relative_errors(w, quantise(w, step, bits, signed=True)).item()

    w = weight()
    moved = w + 0.03 * torch.randn(300, generator=torch.Generator().manual_seed(1))
    step = best_step(w, bits)
    followed = step
    for _ in range(10):
        further = better_step(moved, followed, bits)
        assert error(moved, further) <= error(moved, followed) * (1 + 1e-6)
        followed = further
    assert error(moved, followed) < error(moved, step)
    assert better_step(torch.zeros(5), torch.tensor(0.3), 4).item() == pytest.approx(0.3)


def test_the_quantiser_follows_with_both_steps_at_work() -> None:
    made, w = quantiser(), weight()
    before = made.steps.clone()
    made.follow(w * 1.2)
    assert (made.steps != before).tolist() == [False, False, True, True]
    assert not made.steps.requires_grad


def test_errors_are_relative_to_the_weights_energy() -> None:
    w = torch.tensor([3.0, 4.0])
    came = relative_errors(w, torch.tensor([3.0, 3.0]), torch.tensor([0.0, 0.0]))
    assert came.tolist() == pytest.approx([1 / 25, 1.0])
