"""A tool in a Python environment of its own, made on demand, and a runner of build plans in it.

FINN and bitfold pin different versions of the same packages: they never share an environment.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import final

from bitfold.errors import ToolNotFound
from bitfold.files import check_replaceable, write_text
from bitfold.synth.plan import Command

_STAMP = ".bitfold-complete"


@final
@dataclass(frozen=True, kw_only=True)
class Environment:
    """What to install. requirements: pins of everything but the tool; tool: "name==version"."""

    tool: str
    requirements: str

    @property
    def key(self) -> str:
        """Changes whenever the content would."""
        return sha256(f"{self.tool}\n{self.requirements}".encode()).hexdigest()[:12]


def environment_there(wanted: Environment, folder: Path) -> bool:
    """Whether `make_environment` would find it made."""
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() == wanted.key


def make_environment(wanted: Environment, folder: Path) -> Path:
    """The environment's Python; made in `folder` where it is not there or of other versions.

    A half-made one, after a kill, is made anew; of two processes one makes it and one waits.
    Raises: ToolNotFound when something cannot be installed, with what pip said; ConfigError for a
    folder that holds something else.
    """
    if not environment_there(wanted, folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f".{folder.name}.lock").open("w") as lock:
            flock(lock, LOCK_EX)
            if not environment_there(wanted, folder):
                _make(wanted, folder)
    return folder / "bin" / "python"


def _make(wanted: Environment, folder: Path) -> None:
    check_replaceable(folder, _STAMP)
    shutil.rmtree(folder, ignore_errors=True)
    write_text(folder / _STAMP, "")  # ours, and not complete
    python = folder / "bin" / "python"
    pins = folder / "requirements.txt"
    pip: tuple[str, ...] = (str(python), "-m", "pip", "install", "--quiet")
    if find_spec("uv") is not None:  # links files instead of copying them
        pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python))
    steps = (
        (sys.executable, "-m", "venv", str(folder)),
        (*pip, "--requirement", str(pins)),
        (*pip, "--no-deps", wanted.tool),
    )
    try:
        for number, step in enumerate(steps):
            if number == 1:
                write_text(pins, wanted.requirements)
            done = subprocess.run(step, check=False, capture_output=True, text=True)
            if done.returncode:
                said = "\n".join((done.stderr or done.stdout).splitlines()[-8:])
                raise ToolNotFound(
                    f"{folder}: cannot set up {wanted.tool}; {' '.join(step[1:4])} said:\n{said}\n"
                    "It comes from the Python package index: is that reachable? Is there room on "
                    "the disk (1.2 GB)?"
                )
        write_text(folder / _STAMP, wanted.key)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@final
@dataclass(frozen=True)
class EnvironmentRunner:
    """Runs `Command(tool="python", ...)` of a plan with an environment's Python.

    The process sees nothing of the caller's own settings; its home is the build's folder.
    """

    python: Path
    named: str

    def identity(self, tool: str) -> str:
        """As the protocol of `plan.Runner` says."""
        return f"{tool} of {self.named}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol of `plan.Runner` says."""
        scratch = folder.resolve() / "scratch"
        scratch.mkdir(exist_ok=True)
        around = {
            "PATH": os.defpath,
            "HOME": str(scratch),
            "FINN_BUILD_DIR": str(scratch),
            "TMPDIR": str(scratch),
            "OMP_NUM_THREADS": "1",
        }
        with log.open("wb") as out:
            return subprocess.run(
                [str(self.python), *command.args],
                cwd=folder,
                env=around,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode
