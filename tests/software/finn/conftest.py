import os
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stand_in_finn import DOCKER, RUN_DOCKER

from bitfold.errors import ToolNotFound
from bitfold.finn.estimate import environment
from bitfold.synth.environment import make_environment
from bitfold.synth.finn_docker import EXTRA, LICENCE, PLACE, VERSION
from demo_net import demo_model
from programs import lacking

HOME = Path(__file__).parents[3] / "build" / "finn"


@pytest.fixture(scope="session")
def home() -> Path:
    """FINN's environment; without the package index the tests are skipped, and fail in CI."""
    try:
        make_environment(environment(), HOME)
    except ToolNotFound as error:
        lacking(str(error))
    return HOME


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return demo_model(tmp_path / "model.onnx")


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of FINN, a Vivado, a Docker: none of them real."""
    for name, text in (("clone/run-docker.sh", RUN_DOCKER), ("bin/docker", DOCKER)):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    for name in ("Vivado/2022.2", "Vitis_HLS/2022.2", "2024.2/Vivado"):
        (tmp_path / "xilinx" / name).mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(PLACE, str(tmp_path / "xilinx"))
    monkeypatch.setenv(VERSION, "2022.2")
    monkeypatch.delenv(LICENCE, raising=False)
    monkeypatch.delenv(EXTRA, raising=False)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls.txt"))
    monkeypatch.setenv("MANNER", "good")
    return tmp_path
