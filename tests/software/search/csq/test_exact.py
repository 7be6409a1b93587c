"""CSQ ends exactly quantised, and finetuning starts from there."""

import dataclasses

import pytest
import torch
from torch import nn

from bitfold.policy import LayerBits
from bitfold.quant import quantise
from bitfold.search.codes import strip
from bitfold.search.csq import CSQ
from bitfold.search.problem import Problem

from ..nets import data, net
from .conftest import Search
from .runs import A_BITS, harden, logits, twin


def test_hardening_all_gates_changes_no_code_and_no_logit(
    pretrained: nn.Module, searched: tuple[CSQ, nn.Module]
) -> None:
    made, model = twin(pretrained, searched)
    assert [layer.moved() for layer in made.layers] == [0, 0, 0]
    x = data().test.x
    before = logits(model, x)
    harden(made)
    assert torch.equal(logits(model, x), before)


def test_the_authors_start_and_end_temperature_are_not_exact_on_a_short_run(
    search: Search,
) -> None:
    made, model = search(
        start="official", decay=True, scratch=True, end_temperature=200.0, reweigh="none"
    )
    assert sum(layer.moved() for layer in made.layers) > 0.01 * 968
    before = logits(model, data().test.x)
    harden(made)
    assert not torch.allclose(logits(model, data().test.x), before, atol=1e-2)


def spending(made: CSQ, policy: dict[str, LayerBits]) -> Problem:
    """The problem whose budget is what `policy` costs."""
    return dataclasses.replace(made.problem, limit=made.problem.costs.total(policy))


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_finetuning_starts_from_the_codes(
    pretrained: nn.Module, searched: tuple[CSQ, nn.Module], more: int
) -> None:
    """The very codes; with a bit more, their doubles; with a bit fewer, their rounded halves."""
    made, model = twin(pretrained, searched)
    x, wanted = data().test.x, logits(model, data().test.x)
    codes = {layer.layer.name: strip(layer.hard_codes()) for layer in made.layers}
    given = {n: LayerBits(w_bits=c.bits + 1 + more, a_bits=A_BITS) for n, c in codes.items()}
    made.problem = spending(made, given)
    policy = made.policy(model)
    released = made.release(model)
    spares = [policy[n].w_bits - 1 - c.bits for n, c in codes.items()]
    assert spares == [0, 0, 0] if more == 0 else any(spare * more > 0 for spare in spares)
    bits = {n: (b.w_bits, b.a_bits) for n, b in policy.items()}
    handles = quantise(released.model, made.problem.costs.layers, bits)
    for handle, spare in zip(handles, spares, strict=True):
        name = handle.layer.name
        handle.weight.start_at(released.w_steps[name])
        handle.act.start_at(released.a_steps[name])
        weight = model.get_submodule(name).get_parameter("weight")
        value, step, _, _ = handle.weight(weight)
        most = 2 ** (bits[name][0] - 1)
        if spare >= 0:
            assert torch.equal(value, weight)
            assert torch.equal(value, (codes[name].whole << spare) * step)
        else:  # halves may be rounded up or down, since they are no exact floats
            whole = (codes[name].whole * 2.0**spare).clamp(max=most - 1)
            assert torch.equal(value, (value / step).round() * step)
            assert ((value / step).round() - whole).abs().max() <= 0.5
    if min(spares) >= 0:
        assert torch.equal(logits(model, x).argmax(1), wanted.argmax(1))


def test_what_is_released_is_a_plain_network(
    pretrained: nn.Module, searched: tuple[CSQ, nn.Module]
) -> None:
    made, model = twin(pretrained, searched)
    released = made.release(model)
    kinds = {type(module) for module in released.model.modules()}
    assert kinds == {type(module) for module in net().modules()}
    assert released.model.state_dict().keys() == net().state_dict().keys()
    assert released.w_steps.keys() == released.a_steps.keys() == {"conv1", "conv2", "dense"}
