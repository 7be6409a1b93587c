"""A full disk or Ctrl-C in the middle of a step: one line, the right code, nothing half-written."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
STEPS = {
    "search": ["search", "tiny.toml", "-o", "out"],
    "compile": ["compile", "digits/model.onnx", "-o", "out"],
    "report": ["report", "digits", "-o", "out"],
}


@pytest.fixture
def work(searched: Path, tmp_path: Path) -> Path:
    shutil.copytree(searched, tmp_path / "digits")
    shutil.copy(searched.parents[1] / "tiny.toml", tmp_path)
    return tmp_path


def start(work: Path, arguments: list[str], most_bytes: int | None = None) -> subprocess.Popen[str]:
    def limit() -> None:
        # Beyond this, each write fails as on a full disk: with an OSError.
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.Popen(
        [sys.executable, "-c", "from bitfold.cli.main import main; main()", *arguments],
        cwd=work,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,  # noqa: PLW1509 - this process has one thread of Python
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def unfinished(work: Path) -> list[str]:
    """Temporary names, and files that are not whole; checkpoints may stay, each whole."""
    left = [p for p in work.rglob("*") if p.name.startswith(".")]
    if (work / "out").is_dir():
        left += [p for p in (work / "out").iterdir() if p.name != "checkpoints"]
    elif (work / "out").exists():
        left.append(work / "out")
    return [str(p) for p in left]


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk(work: Path, step: str) -> None:
    process = start(work, STEPS[step], most_bytes=1500)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    lines = [line for line in err.splitlines() if line.startswith("bitfold: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert unfinished(work) == []


def test_ctrl_c_in_a_search_and_the_run_goes_on(work: Path) -> None:
    process = start(work, STEPS["search"])
    deadline = time.monotonic() + 60
    while not list((work / "out").glob("checkpoints/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.rstrip().endswith("bitfold: interrupted")
    assert "Traceback" not in err
    assert unfinished(work) == []
    again = start(work, STEPS["search"])
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert (work / "out" / "model.onnx").read_bytes()
    assert (work / "out" / "policy.json").read_text() == (
        work / "digits" / "policy.json"
    ).read_text()


@pytest.mark.rtl
def test_ctrl_c_in_a_simulation(work: Path) -> None:
    compiled = start(work, ["compile", "digits/model.onnx", "-o", "digits/design"])
    _, err = compiled.communicate(timeout=120)
    assert compiled.returncode == 0, err
    before = {p for p in work.rglob("*") if "cache" not in p.parts and "sim" not in p.parts}
    process = start(work, ["verify", "digits/design"])
    deadline = time.monotonic() + 120
    while not list(work.glob("digits/design/sim/run/sim.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    after = {p for p in work.rglob("*") if "cache" not in p.parts and "sim" not in p.parts}
    assert after == before, "verify.json appeared"
    assert (work / "digits" / "design" / "manifest.json").exists()
