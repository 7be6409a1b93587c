"""Weights made of gates: values, gradients, what is kept in memory, and what stays put."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.nn.functional import conv2d

from bitfold.quant import trace
from bitfold.search.csq.gates import ALIVE, PLANES, STEP, GatedLayer, Gates, gate, restart

from ..nets import SHAPE, net

BITS = 4


def made(
    seed: int = 0, bits: int = BITS, frozen: bool = False, temperature: float = 3.0
) -> tuple[Gates, Tensor]:
    """Double-precision gates of 3x2 weights, masks of both signs, and logits in the zone."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    gates = Gates(weight, bits, "symmetric", 0.1)
    with torch.no_grad():
        gates.mask_logits.copy_(torch.linspace(-0.4, 0.5, bits))
    gates.frozen.fill_(frozen)
    gates.temperature.fill_(temperature)
    logits = torch.randn(2, bits, 3, 2, generator=generator, dtype=torch.float64)
    return gates, logits.requires_grad_()


def by_hand(gates: Gates, logits: Tensor) -> Tensor:
    """s * sum_b [f(m_p) - f(m_n)] f(m_B) e_b, one operation after the other."""
    beta = gates.temperature
    total = torch.zeros(logits.shape[2:], dtype=torch.float64)
    for b in range(logits.shape[1]):
        mask = torch.sigmoid(beta * gates.mask_logits[b])
        if gates.frozen:
            mask = (gates.mask_logits[b] >= 0).double()
        digit = torch.sigmoid(beta * logits[0, b]) - torch.sigmoid(beta * logits[1, b])
        total = total + digit * mask * 2**b / (2 ** logits.shape[1] - 1)
    return gates.scale * total


@pytest.mark.parametrize("frozen", [False, True])
def test_weights_and_gradients_are_those_of_the_formula(frozen: bool) -> None:
    gates, logits = made(frozen=frozen)
    torch.testing.assert_close(gates(logits), by_hand(gates, logits))
    pull = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inputs = (logits, gates.mask_logits, gates.scale)
    fused = torch.autograd.grad((gates(logits) * pull).sum(), inputs)
    plain = torch.autograd.grad((by_hand(gates, logits) * pull).sum(), inputs, allow_unused=frozen)
    for came, wanted in zip(fused, plain, strict=True):
        torch.testing.assert_close(came, torch.zeros_like(came) if wanted is None else wanted)
    assert bool(fused[1].any()) is not frozen


def test_the_closed_gradient_agrees_with_finite_differences() -> None:
    gates, logits = made()
    names = ("mask_logits", "scale")

    def weights(logits: Tensor, *values: Tensor) -> Tensor:
        result: Tensor = torch.func.functional_call(
            gates, dict(zip(names, values, strict=True)), (logits,)
        )
        return result

    assert gradcheck(weights, (logits, gates.mask_logits, gates.scale))


def test_powers_of_two_are_constants() -> None:
    gates, _ = made()
    assert gates.powers.tolist() == [1, 2, 4, 8]
    assert {name for name, _ in gates.named_parameters()} == {"scale", "mask_logits"}


def test_a_symmetric_start_is_the_rounded_weight_in_small() -> None:
    weight = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    gates = Gates(weight, PLANES, "symmetric", 0.125)
    logits = gates.right_inverse(weight)
    assert set(logits.abs().unique().tolist()) == {0.125}
    whole = (weight / weight.abs().max() * 127).round()
    assert torch.equal(gates.hard_codes(logits), whole.long())
    shrunk = torch.tanh(torch.tensor(0.125 / 2)) * 0.5
    torch.testing.assert_close(gates(logits), gates.step() * whole * shrunk)


def test_the_official_start_leaves_bits_that_are_off_on_the_threshold() -> None:
    weight = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))
    gates = Gates(weight, PLANES, "official", 0.1)
    logits = gates.right_inverse(weight)
    assert set(logits.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(gates.hard_codes(logits), (weight / weight.abs().max() * 127).round().long())
    assert gates.kept().all()
    assert not gates.mask_logits.any()


def test_saturated_gates_give_the_integer_codes_bit_for_bit() -> None:
    weight = torch.randn(64, 9, generator=torch.Generator().manual_seed(3))
    gates = Gates(weight, PLANES, "symmetric", 0.1)
    logits = gates.right_inverse(weight)
    with torch.no_grad():
        gates.mask_logits.copy_(torch.tensor([-1, 1, 1, -1, 1, 1, -1.0]))
    gates.temperature.fill_(1e4)
    whole = gates.hard_codes(logits)
    assert torch.equal(gates.soft_codes(logits), whole.float())
    assert torch.equal(gates(logits), whole * gates.step())
    assert whole.abs().max() <= 0b0110110


def test_lower_precision_of_passes_leaves_the_weights_alone() -> None:
    weight = torch.randn(64, 9, generator=torch.Generator().manual_seed(3))
    gates = Gates(weight, PLANES, "symmetric", 0.1)
    logits = gates.right_inverse(weight)
    wanted = gates(logits)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        came = gates(logits)
    assert torch.equal(came, wanted)


def test_moved_counts_the_codes_that_hardening_changes() -> None:
    model = net()
    layer = gate(model, trace(model, SHAPE)[0], "symmetric", 0.1)
    layer.gates.temperature.fill_(1e4)
    layer.gates.frozen.fill_(True)
    assert layer.moved() == 0
    with torch.no_grad():
        layer.logits[:, :3, 0] = -1
        # Of the second bit 0.198 is on, which is 0.4 steps; of the third 0.269, which is 1.1.
        layer.logits[0, 1, 0, 0, 0, 0] = -1.4e-4
        layer.logits[0, 2, 0, 0, 0, 1] = -1e-4
    assert layer.moved() == 1


def test_decided_gates_stay_on_their_side_and_in_the_end_no_code_moves() -> None:
    model = net()
    layer = gate(model, trace(model, SHAPE)[0], "symmetric", 0.1)
    layer.gates.temperature.fill_(1e4)
    layer.gates.frozen.fill_(True)
    with torch.no_grad():
        layer.logits.normal_(std=1e-4, generator=torch.Generator().manual_seed(0))
        layer.logits[0, 0, 0, 0, 0, 0] = 0.0
    before, hard = layer.logits.detach().clone(), layer.hard_codes()
    assert layer.moved() > 0
    layer.decide(0.5)
    assert torch.equal(layer.logits > 0, before > 0)
    assert layer.logits.abs().min().item() == pytest.approx(0.5 * STEP / 1e4)
    layer.decide(1.0)
    assert torch.equal(layer.hard_codes(), hard)
    assert layer.moved() == 0
    assert torch.equal(layer.gates.soft_codes(layer.logits), hard.float())


def test_a_layer_keeps_its_greatest_mask_when_all_would_vanish() -> None:
    gates, _ = made()
    with torch.no_grad():
        gates.mask_logits.copy_(torch.tensor([-0.5, -0.125, -0.25, -0.75]))
    gates.bound(masks=False)
    assert not gates.kept().any()
    gates.bound(masks=True)
    assert gates.kept().tolist() == [False, True, False, False]
    assert gates.mask_logits.tolist() == [-0.5, 0, -0.25, -0.75]


def test_a_layer_with_masks_on_is_left_alone() -> None:
    gates, _ = made()
    before = gates.mask_logits.clone()
    gates.bound(masks=True)
    assert torch.equal(gates.mask_logits, before)


def test_soft_masks_stay_where_they_can_come_back() -> None:
    gates, _ = made(temperature=100.0)
    with torch.no_grad():
        gates.mask_logits.copy_(torch.tensor([-0.4, -0.01, 0.02, 0.5]))
    before = gates.mask_logits.detach().clone()
    gates.bound(masks=False)
    assert torch.equal(gates.mask_logits, before)
    gates.bound(masks=True)
    limit = torch.full((), ALIVE / 100).item()
    assert gates.mask_logits.tolist() == pytest.approx([-limit, -0.01, 0.02, limit])


def test_the_scale_stays_positive() -> None:
    gates, _ = made()
    with torch.no_grad():
        gates.scale.fill_(-0.5)
    gates.bound(masks=True)
    assert 0 < gates.scale < 1e-3


def test_weights_of_zero_are_gated() -> None:
    gates = Gates(torch.zeros(2, 3), PLANES, "symmetric", 0.1)
    assert not gates.hard_codes(gates.right_inverse(torch.zeros(2, 3))).any()
    assert gates.scale > 0


def kept_in_memory(model: nn.Module, batch: int) -> int:
    """Elements that the backward pass keeps of one forward pass."""
    seen: dict[int, Tensor] = {}

    def pack(x: Tensor) -> Tensor:
        seen[x.untyped_storage().data_ptr()] = x
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        model(torch.rand(batch, *SHAPE))
    return sum(x.untyped_storage().nbytes() // x.element_size() for x in seen.values())


def test_gates_keep_no_copy_of_activations() -> None:
    plain = net()
    gated = copy.deepcopy(plain)
    layers = [gate(gated, layer, "symmetric", 0.1) for layer in trace(plain, SHAPE)]
    growth = [kept_in_memory(model, 24) - kept_in_memory(model, 8) for model in (plain, gated)]
    assert growth[0] == growth[1]
    weights = sum(layer.hard_codes().numel() for layer in layers)
    extra = kept_in_memory(gated, 8) - kept_in_memory(plain, 8)
    assert extra < weights * (2 * PLANES + 2)  # a copy of the gates, one of the codes, weights


def test_gated_layers_compute_with_the_weights_of_their_gates() -> None:
    model = net()
    layer = gate(model, trace(model, SHAPE)[1], "symmetric", 0.1)
    x = torch.rand(2, 8, 8, 8)
    wanted = conv2d(x, layer.gates(layer.logits), padding=1)
    torch.testing.assert_close(layer.module(x), wanted)
    assert isinstance(layer, GatedLayer)


def test_restarted_weights_have_the_authors_deviation_and_follow_the_seed() -> None:
    models = [net(), net(), net()]
    layers = trace(models[0], SHAPE)
    for model, seed in zip(models, (0, 0, 1), strict=True):
        restart(model, layers, seed)
    weights = [model.get_submodule("conv2").get_parameter("weight") for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert weights[0].std().item() == pytest.approx((2 / (9 * 8)) ** 0.5, rel=0.1)
    dense = models[0].get_submodule("dense")
    assert dense.get_parameter("weight").std().item() == pytest.approx((2 / 10) ** 0.5, rel=0.1)
    assert not dense.get_parameter("bias").any()
