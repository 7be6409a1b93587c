"""Steps of least squared error."""

import pytest
import torch

from bitfold.quant.calibrate import ELEMENTS, TRIED, calibrate, least_error_steps
from bitfold.quant.lsq import LSQ, bounds, quantise


def error(x: torch.Tensor, step: float, bits: int, signed: bool) -> float:
    return (quantise(x, torch.tensor(step), bits, signed=signed) - x).square().mean().item()


@pytest.mark.parametrize("signed", [True, False])
def test_no_other_step_errs_less(signed: bool) -> None:
    x = torch.randn(5000, generator=torch.Generator().manual_seed(0))
    x = x if signed else x.relu()
    bits = (2, 3, 4, 6, 8)
    steps = least_error_steps(x, bits, signed=signed).tolist()
    assert steps == sorted(steps, reverse=True)
    for step, width in zip(steps, bits, strict=True):
        whole = x.abs().max().item() / bounds(width, signed=signed)[1]
        tried = [whole * i / TRIED for i in range(1, TRIED + 1)]
        assert error(x, step, width, signed) <= min(error(x, s, width, signed) for s in tried) * (
            1 + 1e-5
        )


def test_values_on_a_grid_are_left_as_they_are() -> None:
    for values in ([-0.5, -0.25, 0.0, 0.25], [-0.25, 0.25]):
        x = torch.tensor(values)
        (step,) = least_error_steps(x, (2,), signed=True)
        assert error(x, step.item(), 2, True) == 0


def test_zeros_have_a_step_too() -> None:
    assert (least_error_steps(torch.zeros(10), (2, 8), signed=True) > 0).all()


def test_a_large_tensor_is_looked_at_in_part() -> None:
    x = torch.zeros(3 * ELEMENTS + 1)
    x[::4] = 1.0
    (step,) = least_error_steps(x, (2,), signed=False)
    assert error(x, step.item(), 2, False) < 1e-12


def test_a_calibrated_quantiser_keeps_its_steps_in_training() -> None:
    quantiser, x = LSQ((2, 4), signed=False), torch.rand(1000)
    calibrate(quantiser, x)
    before = quantiser.steps.tolist()
    quantiser.train()
    quantiser.select(4)
    quantiser(x * 3)
    assert quantiser.steps.tolist() == before
    assert before == least_error_steps(x, (2, 4), signed=False).tolist()
