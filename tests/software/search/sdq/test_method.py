"""SDQ's search phase: bits only go down, to the budget; what is released; resuming."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.quant import quantise, trace
from bitfold.runfile import SearchSdq
from bitfold.search.evaluate import reestimate_norms
from bitfold.search.loop import train
from bitfold.search.phases import recipes
from bitfold.search.problem import KINDS, Problem, pose
from bitfold.search.progress import Silent
from bitfold.search.recipe import Recipe
from bitfold.search.sdq.bins import BinRegularisation
from bitfold.search.sdq.method import SDQ, latent
from bitfold.search.sdq.quantiser import best_step

from ..nets import SHAPE, data, net, run_file

BITS = tuple(range(1, 9))
A_BITS = 4


def problem(
    kind: str = "size", first_last: int | str = "search", value: float | None = None
) -> Problem:
    """The budget of three weight bits at four activation bits, or `value`."""
    layers = trace(net(), SHAPE)
    posed = pose(
        layers,
        kind=kind,
        value=value or 1e12,
        like_uniform=None,
        bits=BITS,
        first_last=first_last,
        target="ecp5",
        seed=0,
    )
    if value:
        return posed
    three = {layer.name: LayerBits(w_bits=3, a_bits=A_BITS) for layer in posed.searched}
    return problem(kind, first_last, posed.costs.total(posed.complete(three)))


def settings(**changes: Any) -> SearchSdq:
    return SearchSdq(method="sdq", **changes)


def prepared(
    posed: Problem | None = None, chosen: SearchSdq | None = None
) -> tuple[SDQ, nn.Module]:
    model = net()
    method = SDQ(posed or problem(), chosen or settings(), A_BITS)
    method.prepare(model)
    return method, model


def searched(
    path: Path, posed: Problem | None = None, chosen: SearchSdq | None = None, epochs: int = 40
) -> tuple[SDQ, nn.Module]:
    """The method after its phase on the blobs, and its model."""
    method, model = prepared(posed, chosen)
    recipe = Recipe(
        phase="search",
        epochs=epochs,
        lr=0.01,
        batch=32,
        seed=0,
        momentum=0.9,
        weight_decay=0,
        label_smoothing=0.1,
        augment="none",
        validate=False,
    )
    train(
        model,
        data(),
        recipe,
        hooks=method,
        fabric=Fabric(accelerator="cpu", devices=1),
        path=path / "search.pt",
        identity="x",
        progress=Silent(),
    )
    return method, model


def weight_of(model: nn.Module, name: str) -> Tensor:
    """A layer's weight as it computes with it."""
    weight = model.get_submodule(name).weight
    assert isinstance(weight, Tensor)
    return weight


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[SDQ, nn.Module]:
    return searched(tmp_path_factory.mktemp("sdq"))


def test_bits_only_go_down_and_stop_at_the_budget(done: tuple[SDQ, nn.Module]) -> None:
    method, model = done
    trail = np.array([[8, 8, 8], *method.trail])
    assert (np.diff(trail, axis=0) <= 0).all()
    findings = method.findings(model)
    assert findings["budget_met_by_search"]
    assert findings["bits_after_each_epoch"][-1] == list(findings["bits"].values())
    # Stopped: the last one is not the lowest there is, and was held for some epochs.
    assert (trail[-1] > 1).any()
    assert (trail[-1] == trail[-3]).all()


def test_the_policy_spends_the_budget_and_mean_bits_agree_with_the_size(
    done: tuple[SDQ, nn.Module],
) -> None:
    method, model = done
    policy, posed = method.policy(model), method.problem
    size = posed.costs.total(policy)
    weights = sum(latent(model, name).numel() for name in policy)
    assert 0.98 * posed.limit <= size <= posed.limit
    assert size / weights == pytest.approx(3, abs=0.1)  # the target, in bits per weight
    assert {bits.a_bits for bits in policy.values()} == {A_BITS}
    own = method.findings(model)
    sizes = sum(b * latent(model, name).numel() for name, b in own["bits"].items())
    assert own["mean_bits_of_searched_weights"] == pytest.approx(sizes / weights)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_budget_is_met(tmp_path: Path, kind: str) -> None:
    method, model = searched(tmp_path, problem(kind), epochs=20)
    policy, posed = method.policy(model), method.problem
    assert posed.costs.total(policy) <= posed.limit
    assert posed.costs.total(policy) >= 0.98 * posed.limit
    bits = [b.w_bits for b in policy.values()]
    assert min(bits) < 8


def test_a_large_layer_gets_fewer_bits_than_a_small_one(done: tuple[SDQ, nn.Module]) -> None:
    policy = done[0].policy(done[1])
    assert policy["conv2"].w_bits < policy["conv1"].w_bits  # 576 and 72 weights


def test_an_impossible_budget_is_refused_before_the_search() -> None:
    """One bit everywhere, were the activations as few; with theirs it cannot be met."""
    posed = problem("bitops")
    with pytest.raises(BudgetError, match="least possible"):
        prepared(problem("bitops", value=posed.limit / A_BITS))


def drawn(method: SDQ, model: nn.Module) -> None:
    """One pass, so that the errors of both candidates are known."""
    method.start(model, 100, 10)
    method.before_step(model, 0)
    model.train()
    model(data().train.x)


@pytest.mark.parametrize("regulariser", ["error", "budget"])
def test_the_penalty_presses_on_the_betas_by_its_formula_and_on_nothing_else(
    regulariser: str,
) -> None:
    method, model = prepared(chosen=settings(regulariser=regulariser))
    drawn(method, model)
    penalty = method.penalty(model)
    assert penalty is not None
    penalty.backward()
    quantisers = list(method.quantisers.values())
    assert all(p.grad is None for name, p in model.named_parameters() if not name.endswith("betas"))
    came = torch.stack([q.betas.grad[-1] for q in quantisers])
    assert not any(q.betas.grad[:-1].any() for q in quantisers)
    gain = np.array([(q.errors[1] - q.errors[0]).item() for q in quantisers])
    assert (gain > 0).all()
    counts = np.array([latent(model, name).numel() for name in method.quantisers])
    share = counts / counts.sum()
    weight = share / (1e-3 + gain) if regulariser == "error" else share
    # Scaled so that strength 1 spends the excess of 5 bits, 1/5 of it in each step down, at 1.
    wanted = method.strength * weight / (weight @ (share / 5))
    if regulariser == "budget":
        wanted = wanted - gain
    np.testing.assert_allclose(came.numpy(), wanted, rtol=1e-4)
    assert penalty.item() == pytest.approx(float(wanted @ np.full(3, 0.9)), rel=1e-4)


def test_a_layer_below_the_threshold_is_fixed_lower_and_the_least_first() -> None:
    method, model = prepared()
    method.start(model, 100, 10)
    quantisers = list(method.quantisers.values())
    with torch.no_grad():
        for quantiser, beta in zip(quantisers, (0.05, 0.11, -3.0), strict=True):
            quantiser.betas[-1] = beta
    method.after_step(model, 0)
    assert [q.current for q in quantisers] == [6, 7, 6]
    assert [round(q.beta.item(), 3) for q in quantisers] == [0.9, 0.11, 0.9]
    assert quantisers[2].betas[-1].item() == pytest.approx(1e-3)  # the old one, clamped
    # Where one step down is enough for the budget, only the least beta's layer takes it.
    posed = method.problem
    eight = posed.costs.total(posed.uniform(8))
    method, model = prepared(problem(value=eight - 1))
    with torch.no_grad():
        for quantiser, beta in zip(method.quantisers.values(), (0.04, 0.02, 0.03), strict=True):
            quantiser.betas[-1] = beta
    method.after_step(model, 0)
    assert [q.current for q in method.quantisers.values()] == [7, 6, 7]
    method.before_step(model, 1)
    assert all(q.noise is None for q in method.quantisers.values())
    assert method.penalty(model) is None


def test_the_draw_depends_on_seed_and_step_alone() -> None:
    def noise(step: int, seed: int = 0) -> Tensor:
        method, model = prepared(replace(problem(), seed=seed))
        method.start(model, 100, 10)
        method.before_step(model, step)
        drawn = [q.noise for q in method.quantisers.values()]
        return torch.stack([n for n in drawn if n is not None])

    assert torch.equal(noise(3), noise(3))
    assert noise(3).shape == (3, 2)
    assert not torch.equal(noise(3), noise(4))
    assert not torch.equal(noise(3), noise(3, seed=1))


def test_betas_have_their_own_rate_and_every_parameter_is_trained_once() -> None:
    method, model = prepared(chosen=settings(lr=0.02, beta_lr=0.1))
    groups = method.groups(model, 1e-4)
    every = [id(p) for group in groups for p in group.parameters]
    assert sorted(every) == sorted(id(p) for p in model.parameters())
    assert groups[2].lr_scale == pytest.approx(5)
    assert [group.weight_decay for group in groups] == [1e-4, 0, 0]
    betas = [id(q.betas) for q in method.quantisers.values()]
    assert [id(p) for p in groups[2].parameters] == betas


def test_fixed_layers_are_quantised_at_their_bits_and_stay(tmp_path: Path) -> None:
    method, model = searched(tmp_path, problem(first_last=6), epochs=10)
    assert list(method.policy(model)) == ["conv1", "conv2", "dense"]
    acts = {name: act for group in method.acts for name, act in group.quantisers.items()}
    assert acts["conv2"].bits == (A_BITS,)
    for name in ("conv1", "dense"):
        quantiser = method.quantisers[name]
        assert quantiser.bits == (6,)
        assert 2 < len(weight_of(model, name).unique()) <= 64
        assert acts[name].bits == (6,)
        assert method.policy(model)[name] == LayerBits(w_bits=6, a_bits=6)
    assert method.quantisers["conv2"].current < 7


def test_release_leaves_the_searched_network_on_plain_layers(tmp_path: Path) -> None:
    """Finetuning starts with the very integers, steps and statistics that the search ended with."""
    method, model = searched(tmp_path)
    posed, own = method.problem, method.findings(model)["bits"]
    bits = {name: LayerBits(w_bits=b, a_bits=A_BITS) for name, b in own.items()}
    method.problem = replace(posed, limit=posed.costs.total(bits))  # so that `fit` changes nothing
    assert method.policy(model) == bits
    model.eval()
    with torch.no_grad():
        weights = {name: weight_of(model, name) for name in bits}
        outputs = model(data().test.x)
    released = method.release(model)
    assert type(released.model.get_submodule("conv1")) is nn.Conv2d
    assert type(released.model.get_submodule("relu1")) is nn.ReLU
    layers = trace(net(), SHAPE)
    handles = quantise(released.model, layers, {n: (b, A_BITS) for n, b in own.items()})
    for handle in handles:
        name = handle.layer.name
        handle.weight.start_at(released.w_steps[name])
        handle.act.start_at(released.a_steps[name])
        layer = released.model.get_submodule(name)
        assert torch.equal(layer.quant_weight().value, weights[name])
    bias = released.model.get_submodule("dense").get_parameter("bias")
    grid = released.a_steps["dense"] * released.w_steps["dense"]
    with torch.no_grad():
        bias.copy_((bias / grid).round() * grid)
        came = released.model.eval()(data().test.x)
    # But for the last bias, which finetuning keeps on the accumulator's grid.
    torch.testing.assert_close(came, outputs, rtol=0, atol=grid / 2 + 1e-5)


def test_a_layer_that_fit_widens_starts_at_its_best_step(tmp_path: Path) -> None:
    method, model = searched(tmp_path, epochs=20)
    own, policy = method.findings(model)["bits"], method.policy(model)
    changed = [name for name, bits in policy.items() if bits.w_bits != own[name]]
    assert changed
    weights = {name: latent(model, name).clone() for name in changed}
    steps = method.release(model).w_steps
    for name in changed:
        assert steps[name] == best_step(weights[name], policy[name].w_bits).item()


def test_statistics_of_random_widths_are_estimated_again_before_the_strategy_is_judged(
    done: tuple[SDQ, nn.Module],
) -> None:
    _, model = done
    norm = model.get_submodule("norm2")
    mixture = norm.get_buffer("running_var").clone()
    saved: Mapping[str, Tensor] = {k: v.clone() for k, v in model.state_dict().items()}
    reestimate_norms(model, data().train.x)
    assert not torch.allclose(norm.get_buffer("running_var"), mixture, rtol=1e-3)
    model.load_state_dict(saved)
    run = run_file(search={"method": "sdq"})
    assert recipes(run)["finetune"].reestimate


def test_finetuning_regularises_bins_as_set() -> None:
    hooks = SDQ(problem(), settings(ebr=0.3, ebr_warmup=0.5), A_BITS).finetuning([])
    assert isinstance(hooks, BinRegularisation)
    assert (hooks.strength, hooks.warmup) == (0.3, 0.5)
    hooks.start(net(), 100, 10)
    for step, strength in ((0, 0.0), (50, 0.0), (75, 0.15), (100, 0.3)):
        hooks.before_step(net(), step)
        assert hooks.now == pytest.approx(strength)
