import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stand_in import install

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import Design
from integer_graphs import branching, mlp
from mode_graphs import modes_of


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Design:
    """A network of images with three channels: beats of three bytes."""
    folder = tmp_path_factory.mktemp("images") / "design"
    return compile_graph(branching(), folder, source={}, fps=20_000)


@pytest.fixture(scope="session")
def modal(tmp_path_factory: pytest.TempPathFactory) -> Design:
    """A network with three precision modes."""
    graph = mlp()
    modes = modes_of(graph, [{}, {"fc2": 1, "q1": 1}, {"fc3": 2, "in": 1}])
    folder = tmp_path_factory.mktemp("modal") / "design"
    return compile_graph(graph, folder, source={}, modes=modes, fps=50_000)


@pytest.fixture
def vivado(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The stand-in on PATH; setenv("VIVADO_STAND_IN", ...) says how it behaves."""
    install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("VIVADO_STAND_IN", raising=False)
    return monkeypatch
