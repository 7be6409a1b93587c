"""The truncating quantiser against the bit-planes that hardware reads."""

import numpy as np
import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.quant.lsq import bounds, quantise
from bitfold.quant.truncate import Planes, truncate
from bitfold.sim.reference.planes import codes_to_values, to_plane_beats, values_to_codes

PAIRS = [(bits, keep) for bits in range(2, 9) for keep in range(1, bits + 1)]


def leading_planes(values: np.ndarray, bits: int, keep: int, *, signed: bool) -> np.ndarray:
    """What is left when a plane stream ends after `keep` planes: the hardware's Horner sum."""
    beats = to_plane_beats(values_to_codes(values, bits), bits, len(values))
    planes = np.array([[beat >> i & 1 for i in range(len(values))] for beat in beats])
    assert len(planes) == bits
    total = np.zeros(len(values), np.int64)
    for n, plane in enumerate(planes[:keep]):
        total = 2 * total + (-plane if signed and n == 0 else plane)
    return total


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("bits", "keep"), PAIRS)
def test_codes_are_the_leading_planes_of_the_stored_integer(
    bits: int, keep: int, signed: bool
) -> None:
    low, high = bounds(bits, signed=signed)
    values = np.arange(low, high + 1)
    quantiser = Planes(bits, signed=signed)
    quantiser.start_at(0.37)
    reals = torch.from_numpy(values).float() * quantiser.value().detach()
    came = quantiser.codes(reals, keep).numpy()
    np.testing.assert_array_equal(came, leading_planes(values, bits, keep, signed=signed))
    np.testing.assert_array_equal(came, values // 2 ** (bits - keep))
    shifted = values_to_codes(values, bits) >> (bits - keep)
    np.testing.assert_array_equal(came, codes_to_values(shifted, keep, signed=signed))
    with torch.no_grad():
        real = quantiser(reals, keep).numpy()
    np.testing.assert_array_equal(real, came.astype(np.float32) * np.float32(quantiser.scale(keep)))


@pytest.mark.parametrize("signed", [True, False])
def test_with_all_planes_it_is_lsq(signed: bool) -> None:
    torch.manual_seed(0)
    results = []
    for how in (
        lambda x, s: truncate(x, s, 4, 4, signed=signed),
        lambda x, s: quantise(x, s, 4, signed=signed),
    ):
        x = torch.linspace(-5, 9, 301, requires_grad=True)
        step = torch.tensor(0.41, requires_grad=True)
        y = how(x, step)
        (y * torch.linspace(-1, 2, 301)).sum().backward()
        results.append((y.detach(), x.grad, step.grad))
    for first, second in zip(*results, strict=True):
        assert torch.equal(first, second)


def test_gradients_are_lsqs_straight_through_the_floor() -> None:
    x = torch.tensor([-9.0, -2.6, 0.3, 3.4, 20.0], dtype=torch.float64, requires_grad=True)
    step = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    upstream = torch.tensor([1.0, 2.0, 3.0, 5.0, 7.0], dtype=torch.float64)
    y = truncate(x, step, 4, 2, signed=True)
    # codes -8 -3 0 3 7 -> floor of a quarter -2 -1 0 0 1
    assert y.tolist() == [-8, -4, 0, 0, 4]
    y.backward(upstream)
    assert x.grad is not None
    assert step.grad is not None
    assert x.grad.tolist() == [0, 2, 3, 5, 0]
    by_step = [-8, -4 + 2.6, 0 - 0.3, 0 - 3.4, 4]
    wanted = sum(u * d for u, d in zip(upstream.tolist(), by_step, strict=True))
    # Four units to a step of two bits: their greatest integer is 1.
    assert step.grad.item() == pytest.approx(wanted / (1 * 5) ** 0.5 / 4**2)


@pytest.mark.parametrize("keep", [2, 3, 4, 6])
def test_a_step_moves_by_as_great_a_part_as_lsqs_at_the_kept_bits(keep: int) -> None:
    """On values for which both quantise alike: multiples of the coarse step."""
    unit = 2 ** (6 - keep)
    low, high = bounds(keep, signed=True)
    x = torch.arange(low, high + 1, dtype=torch.float64) * 0.3 * unit
    x = torch.cat([x, x * 3])  # and some that are clipped
    moved = []
    for how, size in (
        (lambda step: truncate(x, step, 6, keep, signed=True), 0.3),
        (lambda step: quantise(x, step, keep, signed=True), 0.3 * unit),
    ):
        step = torch.tensor(size, dtype=torch.float64, requires_grad=True)
        clipped = how(step)
        clipped.square().sum().backward()
        assert step.grad is not None
        moved.append((step.grad / size).item())
    assert moved[0] == pytest.approx(moved[1], rel=0.25 if keep < 6 else 1e-12)


def test_activation_steps_start_once_and_only_in_training() -> None:
    quantiser = Planes(4, signed=False)
    quantiser.eval()
    quantiser.start_from_activations(torch.ones(8))
    assert not quantiser.started
    quantiser.train()
    quantiser.start_from_activations(torch.full((8,), 3.0))
    assert quantiser.step.item() == pytest.approx(2 * 3 / 15**0.5)
    quantiser.start_from_activations(torch.full((8,), 9.0))
    assert quantiser.step.item() == pytest.approx(2 * 3 / 15**0.5)


@pytest.mark.parametrize("bits", [1, 9])
def test_widths_that_export_cannot_carry_are_refused(bits: int) -> None:
    with pytest.raises(ConfigError, match=r"must lie in 2\.\.8"):
        Planes(bits, signed=True)
