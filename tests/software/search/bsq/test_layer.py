"""Re-quantisation leaves every weight as it was, and strips what is not needed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bitfold.quant.lsq import LEAST_STEP
from bitfold.search.bsq.layer import PlanedLayer

from .toy import MOST, PLANES, planed, put, put_codes


def scale(layer: PlanedLayer) -> float:
    """The paper's s."""
    return layer.step.item() * (2**layer.bits - 1)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    bits=st.integers(1, PLANES),
    planes=st.tuples(st.integers(0, PLANES - 1), st.integers(0, PLANES - 1)),
    top=st.sampled_from([0.3, 0.6, 1.0, 1.4, 2.0]),
    density=st.sampled_from([0.002, 0.05, 1.0]),
)
def test_requantisation_is_lossless_whatever_the_bits_are(
    seed: int, bits: int, planes: tuple[int, int], top: float, density: float
) -> None:
    """Random bits in 0..2, dense and sparse, in some of the planes in use."""
    _, layer = planed()
    generator = torch.Generator().manual_seed(seed)
    b = torch.arange(PLANES).reshape(-1, 1, 1, 1, 1)
    drawn = torch.rand(4, *layer.positive.shape, generator=generator)
    kept = (drawn[:2] < density) & (b < bits) & (b >= min(planes)) & (b <= max(planes))
    put(layer, *(drawn[2:] * kept * top), bits)
    weight, codes = layer.weight(), layer.codes()
    step, s = layer.step.item(), scale(layer)
    parameters = [id(p) for p in (layer.positive, layer.negative, layer.step)]

    layer.requantise()

    assert torch.equal(layer.weight(), weight)
    after, n = layer.codes(), layer.bits
    doubled = round(layer.step.item() / step)  # 2^j, j planes stripped at the bottom
    assert layer.step.item() == step * doubled
    assert torch.equal(after * doubled, codes)
    assert scale(layer) == pytest.approx(s * doubled * (2**n - 1) / (2**bits - 1), rel=1e-6)
    assert 1 <= n <= min(bits + 1, PLANES)
    if codes.any():
        assert int(after.abs().max()).bit_length() == n
        assert (after & 1).any()
    else:
        assert (n, doubled) == (1, 1)
    assert set(layer.positive.unique().tolist()) <= {0, 1}
    assert not (layer.positive * layer.negative).any()
    assert not layer.positive[n:].any()
    assert parameters == [id(p) for p in (layer.positive, layer.negative, layer.step)]
    layer.requantise()
    assert torch.equal(layer.weight(), weight)
    assert layer.bits == n == layer.needed()


def test_empty_top_planes_go_and_the_step_stays() -> None:
    _, layer = planed()
    put_codes(layer, [5, -3, 1, 0], PLANES)
    step = layer.step.item()
    layer.requantise()
    assert (layer.bits, layer.step.item()) == (3, step)


def test_an_empty_bottom_plane_doubles_the_step() -> None:
    _, layer = planed()
    put_codes(layer, [20, -12, 4, 0], PLANES)
    step = layer.step.item()
    layer.requantise()
    assert (layer.bits, layer.step.item()) == (3, 4 * step)
    assert layer.codes().flatten()[:4].tolist() == [5, -3, 1, 0]


def test_an_empty_plane_in_the_middle_stays() -> None:
    _, layer = planed()
    put_codes(layer, [9, -8, 1], PLANES)
    layer.requantise()
    assert layer.bits == 4


def test_what_overflows_gets_a_plane_and_keeps_its_value() -> None:
    """The authors' forward pass clips to 2^n - 1, their re-quantisation does not."""
    _, layer = planed()
    put_codes(layer, [3, -2, 1], 2)
    with torch.no_grad():
        layer.positive[:2, 0] = 1.6  # 1.6 + 3.2 = 4.8
    before = layer.weight()
    assert layer.codes().max() == 5 > 2**2 - 1
    assert layer.needed() == 3
    layer.requantise()
    assert layer.bits == 3
    assert torch.equal(layer.weight(), before)


def test_at_the_most_planes_overflow_is_clipped_before_and_after_alike() -> None:
    _, layer = planed()
    put_codes(layer, [MOST, -MOST, 1], PLANES)
    with torch.no_grad():
        layer.positive.mul_(2)
    before = layer.weight()
    assert layer.codes().max() == MOST
    layer.requantise()
    assert layer.bits == PLANES
    assert torch.equal(layer.weight(), before)


def test_a_layer_without_weights_keeps_one_plane_and_may_grow_again() -> None:
    _, layer = planed()
    put_codes(layer, [0], 5)
    step = layer.step.item()
    layer.requantise()
    assert (layer.bits, layer.step.item()) == (1, step)
    layer.module.get_submodule("parametrizations.weight")().sum().backward()
    assert layer.positive.grad is not None
    assert layer.positive.grad[0].all()
    assert not layer.positive.grad[1:].any()
    with torch.no_grad():
        layer.positive[0].fill_(2)
    layer.requantise()
    assert layer.bits == 1  # twos everywhere: one plane of a doubled step
    assert layer.step.item() == 2 * step


def test_clamping_touches_bits_and_nothing_else() -> None:
    """The authors' clamp hits every parameter whose name lacks "scale" and "bn"."""
    model, layer = planed(2)  # dense, with a bias
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.linspace(-9, 9, parameter.numel()).reshape(parameter.shape))
        layer.step.fill_(5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer.clamp()
    changed = {n for n, value in model.state_dict().items() if not torch.equal(before[n], value)}
    bits = "dense.parametrizations.weight.original"
    assert changed == {f"{bits}0", f"{bits}1"}
    assert (layer.positive.min(), layer.positive.max()) == (0, 2)
    assert model.get_parameter("dense.bias").min() == -9
    assert model.get_parameter("conv1.weight").min() == -9
    assert model.get_parameter("norm1.weight").max() == 9


def test_a_step_never_becomes_zero_or_negative() -> None:
    _, layer = planed()
    with torch.no_grad():
        layer.step.fill_(-1)
    layer.clamp()
    assert layer.step.item() == pytest.approx(LEAST_STEP)


def test_what_is_left_is_a_plain_layer_on_the_grid() -> None:
    model, layer = planed(2)
    bias, weight, step = layer.module.get_parameter("bias"), layer.weight(), layer.step.item()
    layer.remove()
    plain = model.get_submodule("dense")
    assert torch.equal(plain.get_parameter("weight"), weight)
    assert plain.get_parameter("weight").requires_grad
    assert plain.get_parameter("bias") is bias
    assert [n for n, _ in plain.named_parameters()] == ["bias", "weight"]
    assert torch.equal((weight / step).round() * step, weight)


def test_steps_get_finer_with_bits_that_codes_do_not_need() -> None:
    _, layer = planed()
    put_codes(layer, [5, -3], 3)
    with torch.no_grad():
        layer.step.fill_(0.5)
    assert [layer.step_at(bits) for bits in (2, 3, 4, 5, 8)] == [2.0, 1.0, 0.5, 0.25, 1 / 32]
    with torch.no_grad():
        layer.step.fill_(3 * LEAST_STEP)
    assert layer.step_at(8) == layer.step.item() / 2  # as LSQ would not take a smaller one
