"""A small dynamic network, trained for moments, that the tests share."""

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

from .toy import mixed_data, problem, settings, train_a_little

# Candidate indices into bits (2, 3, 4, 6): no mode equals the stored precision (3, 6, 4).
PICKS = np.array([[0, 0, 2], [1, 0, 1], [0, 3, 1]])


class Made:
    """The dynamic network with what it was made from."""

    def __init__(self, network: DynamicNet, posed: Problem, data: DataSet, method: DQMQ) -> None:
        self.network, self.problem, self.data, self.method = network, posed, data, method


def dynamic(picks: np.ndarray, first_last: int | str = "search", **keys: object) -> Made:
    """Search for a moment, then take `picks` as the modes, and finetune for a moment."""
    posed, data, model = problem(first_last=first_last), mixed_data(), nn.Module()
    method = DQMQ(posed, SearchDqmq(**{**settings(), **keys}))
    model = train_a_little(method, data)
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
        optimiser.step()
    method.settle(network, ())
    return Made(network.eval(), posed, data, method)


@pytest.fixture(scope="session")
def made() -> Made:
    return dynamic(PICKS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
