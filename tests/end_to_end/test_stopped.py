"""A full disk or Ctrl-C in the middle of a step: one line, the right code, nothing half-written."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bitfold.cli import main

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Step:
    """A step, what it writes, and the file (or folder) whose appearance says that it works."""

    arguments: tuple[str, ...]
    result: str
    begun: str
    bytes: int = 1500  # more than this does not fit on the full disk


DESIGN = "digits/design"
STEPS = {
    "search": Step(("search", "tiny.toml", "-o", "out"), "out/model.onnx", "out/checkpoints/*.pt"),
    "compile": Step(("compile", "digits/model.onnx", "-o", "out"), "out", ".out*/*"),
    "explore": Step(
        ("explore", "digits/model.onnx", "-o", "out", "--points", "5"), "out", "cache/verilator/.*"
    ),
    "verify": Step(("verify", DESIGN), f"{DESIGN}/verify.json", f"{DESIGN}/sim/run/sim.log"),
    "synth": Step(
        ("synth", DESIGN, "--target", "ecp5"), f"{DESIGN}/synth-ecp5.json", "digits/cache/synth/.*"
    ),
    "hls": Step(("hls", DESIGN, "--csim"), "digits/hls/csim.json", "digits/cache/hls/.csim*/*.log"),
    "bitstream": Step(("bitstream", DESIGN), f"{DESIGN}/bitstream", "digits/cache/synth/.*"),
    "calibrate": Step(
        ("calibrate", "--target", "ecp5", "-o", "table.toml", "--cache", "calibrated"),
        "table.toml",
        "calibrated/.*",
    ),
    "report": Step(("report", "digits", "-o", "out.html"), "out.html", ".out.html*"),
}
# The command line under what a shell or a disk may do to it.
PROGRAM = """
import resource, signal, sys
# A job in the background of a shell ignores Ctrl-C, and hands that down.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Beyond this, each write fails as on a full disk: with an OSError.
most_bytes = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
from bitfold.cli.main import main
main()
"""
# A report is rendered in memory and written at once: there is no middle to interrupt it in. What
# `explore` leaves has a test of its own.
INTERRUPTED = [name for name in STEPS if name not in ("report", "explore")]


@pytest.fixture(scope="module")
def compiled(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped")
    shutil.copytree(searched, folder / "digits")
    shutil.copy(searched.parents[1] / "tiny.toml", folder)
    model, design = folder / "digits" / "model.onnx", folder / DESIGN
    assert main.run(["compile", str(model), "-o", str(design)]) == 0
    return folder


@pytest.fixture
def work(compiled: Path, tmp_path: Path) -> Path:
    shutil.copytree(compiled, tmp_path / "work")
    return tmp_path / "work"


def start(
    work: Path, step: Step, most_bytes: int = resource.RLIM_INFINITY
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(most_bytes), *step.arguments],
        cwd=work,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,  # Ctrl-C reaches a program and its children, not these tests
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def interrupt(work: Path, step: Step) -> None:
    """Ctrl-C as soon as the step has begun; it must say so and nothing else."""
    process = start(work, step)
    deadline = time.monotonic() + 300
    while not list(work.glob(step.begun)) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.rstrip().endswith("bitfold: interrupted")
    assert "Traceback" not in err


def unfinished(work: Path, step: Step) -> list[Path]:
    """The result, whole or not, and temporary names, which begin with a dot."""
    return [p for p in [work / step.result, *work.rglob(".*")] if p.exists()]


@pytest.mark.rtl
@pytest.mark.synth
@pytest.mark.parametrize("name", STEPS)
def test_a_full_disk(work: Path, name: str) -> None:
    step = STEPS[name]
    process = start(work, step, most_bytes=step.bytes)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2, err
    lines = [line for line in err.splitlines() if line.startswith("bitfold: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert unfinished(work, step) == []


@pytest.mark.rtl
@pytest.mark.synth
@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c(work: Path, name: str) -> None:
    step = STEPS[name]
    interrupt(work, step)
    assert unfinished(work, step) == []


@pytest.mark.rtl
@pytest.mark.synth
def test_ctrl_c_in_a_proof_leaves_the_curve_without_it(work: Path) -> None:
    step = STEPS["explore"]
    interrupt(work, step)
    points = json.loads((work / "out" / "explore.json").read_text())["points"]
    assert len(points) == 5
    assert not any(point["proof"] for point in points)
    assert [p for p in work.rglob(".*") if p.exists()] == []
