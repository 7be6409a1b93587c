"""LIMPQ: its passes, its indicators, and the policies it finds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.quant import trace
from bitfold.search.hooks import Hooks
from bitfold.search.limpq import LIMPQ, objective, outliers
from bitfold.search.loop import train
from bitfold.search.problem import KINDS, Problem, pose
from bitfold.search.progress import Silent
from bitfold.search.recipe import Recipe

from .nets import SHAPE, data, net

BITS = (2, 3, 4, 5, 6)


def problem(
    kind: str = "bitops", first_last: int | str = "search", value: float | None = None
) -> Problem:
    return pose(
        trace(net(), SHAPE),
        kind=kind,
        value=value,
        like_uniform=None if value else 3,
        bits=BITS,
        first_last=first_last,
        target="ecp5",
        seed=0,
    )


def trained(tmp_path: Path) -> tuple[LIMPQ, nn.Module]:
    """A float model, trained, and the method after two epochs of indicators."""
    fabric, model = Fabric(accelerator="cpu", devices=1), net()
    recipe = Recipe(
        phase="float",
        epochs=6,
        lr=0.1,
        batch=32,
        seed=0,
        momentum=0.9,
        weight_decay=0,
        label_smoothing=0.1,
        augment="none",
    )
    method = LIMPQ(problem(), alpha=2.0, tied=False)
    for phase, run in (("float", None), ("search", method)):
        if run is not None:
            run.prepare(model)
        settings = {**vars(recipe), "phase": phase, "validate": run is None}
        settings |= {"lr": 0.1 if run is None else 0.01}
        train(
            model,
            data(),
            Recipe(**settings),
            hooks=run or Hooks(),
            fabric=fabric,
            path=tmp_path / f"{phase}.pt",
            identity="x",
            progress=Silent(),
        )
    return method, model


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[LIMPQ, nn.Module]:
    return trained(tmp_path_factory.mktemp("limpq"))


def test_gradients_are_the_clipped_sum_of_one_pass_per_width_and_a_random_one() -> None:
    model, split = net(), data().train
    method = LIMPQ(problem(), alpha=2.0, tied=False)
    method.prepare(model)
    model.train()
    # Start every activation step first, so that both computations begin alike.
    for width in BITS:
        for handle in method.handles:
            handle.select(width, width)
        model(split.x)
    widths: list[tuple[int, ...]] = []

    def one_pass() -> Tensor:
        widths.append(tuple(h.weight.bits[h.weight.index] for h in method.handles))
        assert all(h.weight.index == h.act.index for h in method.handles)
        return cross_entropy(model(split.x), split.y) * 30  # large enough to be clipped

    method.gradients(model, 7, one_pass, lambda loss: loss.backward())
    method.edit_gradients(model)
    assert [set(w) for w in widths[:-1]] == [{6}, {5}, {4}, {3}, {2}]
    assert all(b in BITS for b in widths[-1])
    came = {n: None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}

    total = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    for width in widths:
        model.zero_grad()
        for handle, bits in zip(method.handles, width, strict=True):
            handle.select(bits, bits)
        (cross_entropy(model(split.x), split.y) * 30).backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                total[name] += parameter.grad
    clipped = False
    for name, value in total.items():
        wanted = value.clamp(-1, 1)
        clipped |= bool((value.abs() > 1).any())
        if came[name] is None:
            assert not value.any()
        else:
            torch.testing.assert_close(came[name], wanted, rtol=1e-3, atol=1e-4)
    assert clipped


def test_the_random_pass_depends_on_seed_and_step_alone() -> None:
    def draws(seed_steps: list[int]) -> list[tuple[int, ...]]:
        model, seen = net(), []
        method = LIMPQ(problem(), alpha=2.0, tied=False)
        method.prepare(model)

        def one_pass() -> Tensor:
            seen.append(tuple(h.weight.bits[h.weight.index] for h in method.handles))
            return torch.stack([p.sum() for p in model.parameters()]).sum() * 0

        for step in seed_steps:
            method.gradients(model, step, one_pass, lambda loss: loss.backward())
            method.edit_gradients(model)
        return seen[len(BITS) :: len(BITS) + 1]

    assert draws([0, 1, 2]) == draws([0, 1, 2])
    assert draws([2]) == draws([0, 1, 2])[2:]
    assert len(set(draws(list(range(12))))) > 3


def test_indicators_fall_with_width_as_published(searched: tuple[LIMPQ, nn.Module]) -> None:
    """The published ones do in 414 of 416 neighbours; weight ratios start at 2."""
    w, a = searched[0].indicators()
    assert w.shape == a.shape == (3, 5)
    falling = np.concatenate([w[:, :-1] > w[:, 1:], a[:, :-1] > a[:, 1:]])
    assert falling.mean() >= 0.95
    ratio = np.exp(np.log(w[:, 0] / w[:, 1]).mean())
    assert 1.5 < ratio < 2.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [False, True])
def test_every_kind_of_budget_is_met(
    searched: tuple[LIMPQ, nn.Module], kind: str, tied: bool
) -> None:
    done, model = searched
    method = LIMPQ(problem(kind), alpha=2.0, tied=tied)
    method.handles = done.handles
    policy = method.policy(model)
    posed = method.problem
    assert posed.costs.total(policy) <= posed.limit
    assert list(policy) == ["conv1", "conv2", "dense"]
    if tied:
        assert all(bits.w_bits == bits.a_bits for bits in policy.values())
    else:
        # Tight: with one bit more in the cheapest place the budget would be broken,
        # unless everything has all bits already.
        more = [
            {**policy, name: LayerBits(w_bits=w, a_bits=a)}
            for name, bits in policy.items()
            for w, a in ((bits.w_bits + 1, bits.a_bits), (bits.w_bits, bits.a_bits + 1))
            if max(w, a) <= BITS[-1]
        ]
        assert all(posed.costs.total(p) > posed.limit for p in more)


def test_several_budgets_are_met_at_once(searched: tuple[LIMPQ, nn.Module]) -> None:
    done, model = searched
    alone = LIMPQ(problem("bitops"), alpha=2.0, tied=False)
    alone.handles = done.handles
    free = alone.policy(model)
    for kind in KINDS:
        total = problem(kind).costs.total(free)
        least = problem(kind).costs.total(done.problem.uniform(2))
        posed = pose(
            trace(net(), SHAPE),
            kind="bitops",
            value=None,
            like_uniform=3,
            bits=BITS,
            first_last="search",
            target="ecp5",
            seed=0,
            also=[(kind, (2 * least + total) / 3, None), ("cycles", 1e9, None)],
        )
        method = LIMPQ(posed, alpha=2.0, tied=False)
        method.handles = done.handles
        policy = method.policy(model)
        assert posed.keeps(policy)
        assert policy != free


def test_objective_adds_activation_step_and_alpha_times_weight_step() -> None:
    w, a = np.array([[0.3, 0.2]]), np.array([[0.5, 0.4]])
    np.testing.assert_allclose(objective(w, a, 2.0), [[[1.1, 1.0], [0.9, 0.8]]])
    np.testing.assert_allclose(objective(w, a, 2.0, reverse=True), [[[-1.1, -1.0], [-0.9, -0.8]]])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_narrower_width_with_a_smaller_step_is_erased(reverse: bool) -> None:
    steps = np.array([[0.4, 0.1, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    assert outliers(steps).tolist() == [[False, True, False, False], [False] * 4]
    plain = np.array([[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    value = objective(steps, plain, 3.0, reverse=reverse)
    assert value[0, 1].min() - value[0].min() > np.ptp(value[1])
    best = value.reshape(2, -1).min(1)
    clean = np.delete(value[0], 1, axis=0)
    # Taking the erased candidate costs more than the worst choice of everything else.
    assert value[0, 1].min() + best[1] > clean.max() + value[1].max()
    untouched = objective(plain, plain, 3.0, reverse=reverse)
    np.testing.assert_allclose(value[1], untouched[1])


def test_a_step_above_the_bound_counts_as_it_is(searched: tuple[LIMPQ, nn.Module]) -> None:
    model = net()
    method = LIMPQ(problem(), alpha=2.0, tied=False)
    method.prepare(model)
    with torch.no_grad():
        method.handles[0].act.steps.copy_(torch.tensor([2.0, 1.5, 1.0, 0.5, -0.1]))
    _, a = method.indicators()
    np.testing.assert_allclose(a[0], [2.0, 1.5, 1.0, 0.5, 1e-5])
    assert method.findings(model)["steps_at_bound"] >= 3


def most_within(posed: Problem, *, tied: bool) -> float:
    """The most that any policy spends within the limit, of all that there are."""
    first, second, third = posed.costs.table(posed.searched, posed.options(tied=tied)).reshape(
        3, -1
    )
    join = np.maximum if posed.costs.kind == "cycles" else np.add
    totals = join(join(first[:, None, None], second[:, None]), third)
    return float(totals[totals <= posed.limit].max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [False, True])
def test_the_reversed_policy_spends_the_budget_where_it_matters_least(
    searched: tuple[LIMPQ, nn.Module], kind: str, tied: bool
) -> None:
    done, model = searched
    between = problem(kind)
    low, high = (between.costs.total(between.uniform(bits)) for bits in (3, 4))
    policies = []
    for reverse in (False, True):
        posed = problem(kind, value=(low + high) / 2)
        method = LIMPQ(posed, alpha=2.0, tied=tied, reverse=reverse)
        method.handles = done.handles
        policies.append(method.policy(model))
    forward, backward = policies
    w, a = done.indicators()

    def importance(policy: dict[str, LayerBits]) -> float:
        return sum(
            a[i, BITS.index(bits.a_bits)] + 2 * w[i, BITS.index(bits.w_bits)]
            for i, bits in enumerate(policy.values())
        )

    if tied:  # maybe one policy alone spends the budget
        assert importance(backward) >= importance(forward)
    else:
        assert importance(backward) > importance(forward)
    for policy in policies:
        spent = method.problem.costs.total(policy)
        assert spent <= method.problem.limit
        assert spent >= min(0.98 * method.problem.limit, 0.999 * most_within(posed, tied=tied))
    if tied:
        assert all(bits.w_bits == bits.a_bits for bits in backward.values())


def test_the_least_budget_gives_the_least_bits(searched: tuple[LIMPQ, nn.Module]) -> None:
    done, model = searched
    least = done.problem.costs.total(done.problem.uniform(2))
    method = LIMPQ(problem(value=least), alpha=2.0, tied=False)
    method.handles = done.handles
    assert method.policy(model) == done.problem.uniform(2)
    with pytest.raises(BudgetError):
        problem(value=least - 1)


def test_fixed_layers_stay_float_while_indicators_train() -> None:
    model = net()
    method = LIMPQ(problem(first_last=8), alpha=2.0, tied=False)
    method.prepare(model)
    assert [handle.layer.name for handle in method.handles] == ["conv2"]
    assert type(model.get_submodule("conv1")) is nn.Conv2d
    assert type(model.get_submodule("norm1")) is nn.BatchNorm2d


def test_findings_are_json_numbers(searched: tuple[LIMPQ, nn.Module]) -> None:
    findings = searched[0].findings(searched[1])
    assert findings["bits"] == list(BITS)
    assert set(findings["weight_steps"]) == {"conv1", "conv2", "dense"}
    assert len(findings["activation_steps"]["dense"]) == len(BITS)
    assert findings["steps_at_bound"] >= 0
