"""A network that is pretrained and searched once for all tests of a file."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from bitfold.search.csq import CSQ
from bitfold.search.hooks import Hooks
from bitfold.search.problem import Problem

from ..nets import net
from .runs import phase, prepared

Search = Callable[..., tuple[CSQ, nn.Module]]


@pytest.fixture(scope="package")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    model = net()
    phase(Hooks(), model, tmp_path_factory.mktemp("float") / "float.pt", epochs=8)
    return model


@pytest.fixture(scope="package")
def search(pretrained: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Run a phase with these settings from the pretrained network."""

    def run(posed: Problem | None = None, **settings: Any) -> tuple[CSQ, nn.Module]:
        made, model = prepared(pretrained, posed, **settings)
        phase(made, model, tmp_path_factory.mktemp("csq") / "search.pt")
        return made, model

    return run


@pytest.fixture(scope="package")
def searched(search: Search) -> tuple[CSQ, nn.Module]:
    """Searched at the size of uniform 4 bits; leave it as it is."""
    return search()
