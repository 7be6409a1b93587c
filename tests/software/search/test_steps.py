"""No batch ends a quantiser's step."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import final

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from bitfold.quant import LSQ, Planes, quantise, trace
from bitfold.search.hooks import Group, Hooks
from bitfold.search.loop import train
from bitfold.search.progress import Silent
from bitfold.search.steps import MOST_MOVE, limit, steps_in

from .nets import SHAPE, data, net
from .test_loop import recipe


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_batch_moves_a_step_by_half_at_most_its_momentum_included(momentum: float) -> None:
    quantiser = LSQ((2, 4), signed=True)
    with torch.no_grad():
        quantiser.steps.copy_(torch.tensor([0.3, 0.02]))
    optimiser = torch.optim.SGD(
        quantiser.parameters(), lr=0.1, momentum=momentum, nesterov=momentum > 0
    )
    quantiser.steps.grad = torch.tensor([1e5, -1e5])
    limit([quantiser.steps], 0.1, momentum)
    for _ in range(300):
        optimiser.step()
        quantiser.steps.grad.zero_()
    torch.testing.assert_close(quantiser.steps.detach(), torch.tensor([0.15, 0.03]))


def test_gradients_of_usual_size_stay_as_they_are() -> None:
    steps = [nn.Parameter(torch.tensor([0.3, 0.02])), nn.Parameter(torch.tensor(0.1))]
    steps[0].grad = torch.tensor([0.1, -0.005])
    limit(steps, 0.01, 0.9)  # the second has none
    assert torch.equal(steps[0].grad, torch.tensor([0.1, -0.005]))
    assert steps[1].grad is None


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("value", [0.0, -0.3, 1e-9])
def test_a_step_below_the_least_comes_back(value: float, momentum: float) -> None:
    quantiser = LSQ((2,), signed=True)
    quantiser.start_at(1.0)
    with torch.no_grad():
        quantiser.steps.fill_(value)
    optimiser = torch.optim.SGD(
        quantiser.parameters(), lr=0.1, momentum=momentum, nesterov=momentum > 0
    )
    x = torch.linspace(-1, 1, 101)
    for _ in range(200):
        optimiser.zero_grad()
        (quantiser(x)[0] - x).square().sum().mul(1e4).backward()
        limit([quantiser.steps], 0.1, momentum)
        optimiser.step()
    assert quantiser.step() > 0.1


def test_the_steps_are_those_of_all_quantisers() -> None:
    model = net()
    handles = quantise(
        model, trace(model, SHAPE), dict.fromkeys(("conv1", "conv2", "dense"), (3, 3))
    )
    planes = Planes(4, signed=True)
    found = {id(step) for step in steps_in(nn.Sequential(model, planes))}
    wanted = {id(q.steps) for handle in handles for q in (handle.weight, handle.act)}
    assert found == wanted | {id(planes.step)}


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_training_limits_them_at_the_rate_of_their_group(tmp_path: Path, scale: float) -> None:
    """A jolt that the weights' norms forgive would else leave steps below zero, or huge."""
    model = net()
    handles = quantise(
        model, trace(model, SHAPE), dict.fromkeys(("conv1", "conv2", "dense"), (3, 3))
    )
    start: list[torch.Tensor] = []

    @final
    class First(Hooks):
        """Notes the steps that the first batch starts with, and jolts it."""

        def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
            *others, last = super().groups(model, weight_decay)
            return (*others, dataclasses.replace(last, lr_scale=scale))

        def edit_gradients(self, model: nn.Module) -> None:
            if not start:
                start.extend(q.steps.detach().clone() for q in quantisers)
                for q in quantisers:
                    assert q.steps.grad is not None
                    q.steps.grad.fill_(-1e6)

    quantisers = [q for handle in handles for q in (handle.weight, handle.act)]
    phase = dataclasses.replace(recipe(), epochs=1, batch=96)
    train(
        model,
        data(),
        phase,
        hooks=First(),
        fabric=Fabric(accelerator="cpu", devices=1),
        path=tmp_path / "phase.pt",
        identity="",
        progress=Silent(),
    )
    assert len(start) == 6
    for quantiser, before in zip(quantisers, start, strict=True):
        assert before < quantiser.steps <= before * (1 + MOST_MOVE)
