"""The search phase of DQMQ: its objective, its schedules, and what a killed run resumes to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from bitfold.errors import ConfigError
from bitfold.runfile import SearchDqmq
from bitfold.search.dqmq import DQMQ
from bitfold.search.dqmq.mixed import Decide
from bitfold.search.loop import train
from bitfold.search.problem import KINDS
from bitfold.search.progress import Silent

from ..nets import SHAPE, net
from ..test_loop import Recorder, recipe
from .toy import mixed_data, problem, settings, train_a_little


def prepared(kind: str = "bitops", **keys: object) -> tuple[DQMQ, nn.Module, Decide]:
    method = DQMQ(problem(kind), SearchDqmq(**settings(entropy=0.0, warm_up=0.0, **keys)))
    model = net()
    method.prepare(model)
    method.start(model, 10, 1)
    method.before_step(model, 5)
    decide = model.get_submodule("input")
    assert isinstance(decide, Decide)
    return method, model, decide


def penalty_at(method: DQMQ, model: nn.Module, decide: Decide, mu: float) -> float:
    """The penalty where every layer's mean is `mu` of the way up."""
    with torch.no_grad():
        decide.decision.last.weight.zero_()
        decide.decision.last.bias.copy_(torch.tensor([mu, -2.0]).repeat(3))
    model(torch.rand(4, *SHAPE))
    return method.penalty(model).item()


@pytest.mark.parametrize("kind", KINDS)
def test_the_penalty_is_the_expected_cost_over_the_budget(kind: str) -> None:
    method, model, decide = prepared(kind)
    came = [penalty_at(method, model, decide, mu) for mu in (-6.0, 0.5, 2.0, 6.0)]
    assert came[0] == 0
    assert came == sorted(came)
    p = decide.choice.log_p.exp().detach().double().numpy()[0]
    parts = (p * method.costs.table).sum(1)
    whole = parts.max() if kind == "cycles" else parts.sum() + method.problem.fixed_cost
    assert came[-1] == pytest.approx(2.0 * (whole / method.problem.limit - 1), rel=1e-5)


def test_gradients_of_the_penalty_are_those_of_finite_differences() -> None:
    method, model, decide = prepared()
    model.double()
    x = torch.rand(5, *SHAPE, dtype=torch.float64)
    bias = decide.decision.last.bias
    with torch.no_grad():
        bias.copy_(torch.tensor([0.9, 0.3, 1.2, -0.5, 0.4, 0.1]))

    def value() -> torch.Tensor:
        decide(x)
        return method.penalty(model) - 0.1 * decide.choice.log_p.mean()

    value().backward()
    assert bias.grad is not None
    for i in range(len(bias)):
        moved = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                bias[i] += step
                moved.append(value().item())
                bias[i] -= step
        assert bias.grad[i].item() == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", ["gaussian", "categorical"])
def test_the_policy_starts_at_the_budget(kind: str, head: str) -> None:
    method, _, decide = prepared(kind, head=head)
    with torch.no_grad():
        log_p = decide.decision(torch.rand(4, *SHAPE)).double().numpy()
    spent = method.costs.expected(log_p).mean()
    assert spent == pytest.approx(method.problem.limit, rel=0.1)
    means = (np.exp(log_p) * np.array([2, 3, 4, 6])).sum(2)
    assert np.ptp(means) < 0.5


def test_warm_up_is_random_and_leaves_the_policy_alone() -> None:
    method = DQMQ(problem(), SearchDqmq(**settings(warm_up=0.5)))
    model = train_a_little(method, mixed_data(), steps=4)
    decide = model.get_submodule("input")
    assert isinstance(decide, Decide)
    assert decide.how == "gumbel"
    assert decide.decision.standardise.count == 2
    method.before_step(model, 0)
    assert decide.how == "uniform"
    assert decide.decision.standardise.learning
    model.zero_grad()
    method.gradients(
        model, 0, lambda: model(torch.rand(8, *SHAPE)).square().mean(), lambda x: x.backward()
    )
    assert all(p.grad is None for p in decide.decision.parameters())


def test_the_temperature_falls_once_the_policy_learns() -> None:
    method = DQMQ(problem(), SearchDqmq(**settings(warm_up=0.2)))
    model = net()
    method.prepare(model)
    method.start(model, 100, 1)
    taus = []
    for step in range(100):
        method.before_step(model, step)
        taus.append(method._decide(model).tau)
    assert taus[:21] == [2.0] * 21
    assert taus[20:] == sorted(set(taus[20:]), reverse=True)
    assert taus[-1] == pytest.approx(0.3, rel=0.05)


def test_the_policy_has_a_rate_of_its_own() -> None:
    method, model, decide = prepared(lr=0.02, policy_lr=0.005)
    groups = method.groups(model, 0.1)
    assert groups[-1].lr_scale == 0.25
    assert {id(p) for p in groups[-1].parameters} == {id(p) for p in decide.decision.parameters()}
    counted = sum(len(group.parameters) for group in groups)
    assert counted == len(list(model.parameters()))


@pytest.mark.parametrize("estimator", ["gumbel", "expected", "reinforce"])
@pytest.mark.parametrize("head", ["gaussian", "categorical"])
def test_every_estimator_and_head_learns_to_keep_the_budget(estimator: str, head: str) -> None:
    """From above the budget, by the penalty's gradient; the task's gradient comes on top."""
    keys = {"estimator": estimator, "head": head, "policy_lr": 1.0, "strength": 5.0}
    method, model, decide = prepared(**keys)
    with torch.no_grad():
        bias = decide.decision.last.bias.reshape(3, -1)
        if head == "categorical":
            bias[:, -1] += 6.0
        else:
            bias[:, 0] += 2.0
    data = mixed_data()
    optimiser = torch.optim.SGD(decide.decision.parameters(), lr=0.5)
    model.train()
    over = []
    for _ in range(25):
        optimiser.zero_grad()
        method.gradients(
            model,
            5,
            lambda: nn.functional.cross_entropy(model(data.train.x[:32]), data.train.y[:32]),
            lambda loss: loss.backward(),
        )
        method.edit_gradients(model)
        over.append(method.penalty(model).item())
        optimiser.step()
    assert over[0] > 0.5
    assert np.mean(over[-3:]) < over[0] / 2


def test_an_interrupted_search_resumes_to_the_same_weights(tmp_path: Path) -> None:
    data = mixed_data()
    phase = replace(recipe(), phase="search", epochs=3, lr=0.02, validate=False)

    def run(path: Path, progress: Recorder | Silent) -> dict[str, torch.Tensor]:
        method = DQMQ(problem(), SearchDqmq(**settings(estimator="reinforce", warm_up=0.3)))
        model = net()
        method.prepare(model)
        train(
            model,
            data,
            phase,
            hooks=method,
            fabric=Fabric(accelerator="cpu", devices=1),
            path=path,
            identity="id",
            progress=progress,
        )
        method.measure(model, data)
        assert method.modes is not None
        state = dict(model.state_dict())
        return {**state, "picks": torch.from_numpy(method.modes.picks)}

    whole = run(tmp_path / "whole.pt", Silent())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts.pt", Recorder(stop=15))
    parts = run(tmp_path / "parts.pt", Silent())
    assert all(torch.equal(v, parts[n]) for n, v in whole.items())


def test_a_single_candidate_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least two candidates"):
        DQMQ(replace(problem(), bits=(3,)), SearchDqmq(**settings()))


def test_further_budgets_are_refused() -> None:
    posed = problem()
    with pytest.raises(ConfigError, match=r"\[budget\] also: dqmq keeps one budget"):
        DQMQ(replace(posed, also=(problem("size"),)), SearchDqmq(**settings()))
