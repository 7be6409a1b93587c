"""The learned-step quantiser against its definition."""

import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.quant.lsq import LSQ, bounds, quantise


def test_bounds_are_twos_complement_or_unsigned() -> None:
    assert bounds(3, signed=True) == (-4, 3)
    assert bounds(3, signed=False) == (0, 7)
    assert bounds(8, signed=True) == (-128, 127)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 3, 8])
def test_values_are_integers_of_the_width_times_the_step(bits: int, signed: bool) -> None:
    x = torch.linspace(-30, 30, 997)
    step = torch.tensor(0.37)
    low, high = bounds(bits, signed=signed)
    wanted = torch.clamp(torch.round(x / step), low, high) * step
    assert torch.equal(quantise(x, step, bits, signed=signed), wanted)


def test_halves_round_to_even_as_qonnx_does() -> None:
    x = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5])
    came = quantise(x, torch.tensor(1.0), 4, signed=True)
    assert came.tolist() == [0, 2, 2, 0, -2]


@pytest.mark.parametrize("signed", [True, False])
def test_gradients_are_those_of_the_paper(signed: bool) -> None:
    """LSQ Eq. 3, its Sec. 2.2 gradient scale, and the straight-through estimator."""
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    step = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(50, dtype=torch.float64)
    quantise(x, step, 3, signed=signed).backward(upstream)
    low, high = bounds(3, signed=signed)
    by_step = []
    for value in x.tolist():
        ratio = value / 0.3
        if ratio <= low or ratio >= high:
            by_step.append(low if ratio <= low else high)
        else:
            by_step.append(round(ratio) - ratio)
    wanted = sum(u * d for u, d in zip(upstream.tolist(), by_step, strict=True))
    assert step.grad is not None
    assert x.grad is not None
    assert step.grad.item() == pytest.approx(wanted / (high * 50) ** 0.5)
    inside = (x / 0.3 >= low) & (x / 0.3 <= high)
    assert torch.equal(x.grad, upstream * inside)


def test_weight_steps_start_at_three_sigma() -> None:
    quantiser = LSQ((2, 3, 4), signed=True)
    weight = torch.randn(64, 64) * 0.2 + 0.01
    quantiser.start_from(weight)
    mean, deviation = weight.mean().item(), weight.std().item()
    reach = max(abs(mean - 3 * deviation), abs(mean + 3 * deviation))
    assert quantiser.steps.tolist() == pytest.approx([reach / 2, reach / 4, reach / 8])


def test_activation_steps_start_at_the_first_training_batch_of_their_width() -> None:
    quantiser = LSQ((2, 4), signed=False)
    quantiser.eval()
    quantiser(torch.ones(8))
    assert quantiser.started.tolist() == [False, False]
    quantiser.train()
    quantiser.select(4)
    quantiser(torch.full((8,), 3.0))
    assert quantiser.started.tolist() == [False, True]
    assert quantiser.steps[1].item() == pytest.approx(2 * 3 / 15**0.5)
    quantiser(torch.full((8,), 9.0))
    assert quantiser.steps[1].item() == pytest.approx(2 * 3 / 15**0.5)


def test_only_the_selected_step_gets_a_gradient() -> None:
    quantiser = LSQ((2, 3, 4), signed=True)
    quantiser.start_from(torch.randn(100))
    quantiser.select(3)
    value, step, zero, width = quantiser(torch.randn(100))
    value.square().sum().backward()
    assert quantiser.steps.grad is not None
    assert (quantiser.steps.grad != 0).tolist() == [False, True, False]
    assert (step.item(), zero.item(), width.item()) == (quantiser.steps[1].item(), 0, 3)


def test_steps_stay_in_their_range() -> None:
    quantiser = LSQ((4,), signed=True, most_step=1.0)
    with torch.no_grad():
        quantiser.steps.fill_(5.0)
    assert quantiser.step().item() == 1.0
    with torch.no_grad():
        quantiser.steps.fill_(-5.0)
    assert quantiser.step().item() == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("bits", "signed"), [((), True), ((0, 1), True), ((2, 9), True), ((1,), False), ((2, 9), False)]
)
def test_widths_that_export_cannot_carry_are_refused(bits: tuple[int, ...], signed: bool) -> None:
    kind = r"weights must lie in 1\.\.8" if signed else r"activations must lie in 2\.\.8"
    with pytest.raises(ConfigError, match=kind):
        LSQ(bits, signed=signed)


def test_a_power_of_two_step_is_exact_and_still_learns() -> None:
    quantiser = LSQ((8,), signed=True, power_of_two=True)
    for step, wanted in (
        (0.7, 0.5),
        (0.71, 1.0),
        (1.0, 1.0),
        (1.4, 1.0),
        (1.5, 2.0),
        (3e-4, 2**-12),
    ):
        with torch.no_grad():
            quantiser.steps.fill_(step)
        assert quantiser.step().item() == wanted
    quantiser.started.fill_(True)
    quantiser(torch.randn(100))[0].square().sum().backward()
    assert quantiser.steps.grad is not None
    assert quantiser.steps.grad.item() != 0


def test_short_floats_are_quantised_as_float32() -> None:
    """In bfloat16 itself a ratio has 8 bits: levels above 128 would lose their halves."""
    x = (torch.arange(0, 600) / 3).to(torch.bfloat16)
    step = torch.tensor(0.7)
    came = quantise(x, step, 8, signed=False)
    assert came.dtype == torch.float32
    assert torch.equal(came, quantise(x.float(), step, 8, signed=False))


def test_the_steps_gradient_is_scaled_by_the_whole_batch() -> None:
    x, grads = torch.rand(8, 4), []
    for rows in (None, 32):
        step = torch.tensor(0.1, requires_grad=True)
        quantise(x, step, 4, signed=False, rows=rows).square().sum().backward()
        assert step.grad is not None
        grads.append(step.grad.item())
    assert grads[0] == pytest.approx(2 * grads[1])


def test_a_step_below_the_least_learns_to_rise_again() -> None:
    torch.manual_seed(0)
    quantiser = LSQ((4,), signed=True)
    weight = torch.randn(64)
    quantiser.start_from(weight)
    with torch.no_grad():
        quantiser.steps.neg_()
    optimiser = torch.optim.SGD(quantiser.parameters(), lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        (quantiser(weight)[0] - weight).square().sum().backward()
        optimiser.step()
    assert quantiser.step() > 0.1
    with torch.no_grad():
        quantiser.steps.fill_(-1.0)
    quantiser.zero_grad()
    quantiser.step().backward()  # a descent would lower it still: the bound holds
    assert quantiser.steps.grad == 0
