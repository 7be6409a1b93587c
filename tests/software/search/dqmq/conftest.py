"""A small dynamic network, trained for moments, that the tests share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bitfold.data import DataSet
from bitfold.runfile import SearchDqmq
from bitfold.search.dqmq import DQMQ
from bitfold.search.dqmq.dynamic import DynamicNet
from bitfold.search.dqmq.modes import ModeSet
from bitfold.search.problem import Problem
from bitfold.search.steps import limit, steps_in

from ..nets import net
from .toy import mixed_data, problem, residual, settings, train_a_little

# Candidate indices into bits (2, 3, 4, 6): no mode equals the stored precision (3, 6, 4).
PICKS = np.array([[0, 0, 2], [1, 0, 1], [0, 3, 1]])


class Made:
    """The dynamic network with what it was made from."""

    def __init__(self, network: DynamicNet, posed: Problem, data: DataSet, method: DQMQ) -> None:
        self.network, self.problem, self.data, self.method = network, posed, data, method


def dynamic(
    picks: np.ndarray,
    first_last: int | str = "search",
    make: Callable[[], nn.Module] = net,
    **keys: object,
) -> Made:
    """Search for a moment, then take `picks` as the modes, and finetune for a moment."""
    posed, data = problem(first_last=first_last, make=make), mixed_data()
    method = DQMQ(posed, SearchDqmq(**{**settings(), **keys}))
    model = train_a_little(method, data, make=make)
    method.measure(model, data)
    method.modes = ModeSet(picks=picks, price=0.5)
    released = method.release(model)
    network = released.model
    assert isinstance(network, DynamicNet)
    torch.manual_seed(1)
    network.train()
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.02)
    for start in range(0, 160, 40):
        optimiser.zero_grad()
        rows = slice(start, start + 40)
        loss = nn.functional.cross_entropy(network(data.train.x[rows]), data.train.y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        limit(steps_in(network), 0.02, 0.0)
        optimiser.step()
    method.settle(network, ())
    return Made(network.eval(), posed, data, method)


@pytest.fixture(scope="session")
def made() -> Made:
    return dynamic(PICKS)


@pytest.fixture(scope="session")
def branched() -> Made:
    """A network with additions and an average; all but its ends have 2, 4 or mixed bits."""
    return dynamic(np.array([[0] * 6, [0, 1, 2, 2, 0, 1], [2] * 6]), first_last=8, make=residual)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
