"""Programs that no Python package brings: found on PATH, run for a build plan."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ToolNotFound
from bitfold.synth.plan import Command


@final
@dataclass(frozen=True, kw_only=True)
class Program:
    """A program on PATH, or one that an earlier command of the plan makes ("./name").

    says_version: arguments with which it tells its version; () for one that has none.
    install:      what gets it.
    """

    executable: str
    says_version: tuple[str, ...] = ()
    install: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class PathRunner:
    """Runs a plan's commands with these programs."""

    programs: Mapping[str, Program]

    def identity(self, tool: str) -> str:
        """Name and first line of what it says of its version. Raises: ToolNotFound."""
        program = self.programs[tool]
        if not program.says_version:
            return tool
        return f"{tool}: {version_text(program).splitlines()[0]}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As `plan.Runner` says. The process dies with an interrupted caller."""
        program = self.programs[command.tool]
        with log.open("wb") as out:
            return subprocess.run(
                [program.executable, *command.args],
                cwd=folder,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode


def is_there(program: Program) -> bool:
    """Whether it is on PATH."""
    return shutil.which(program.executable) is not None


def version_text(program: Program) -> str:
    """What a program says of its version, not empty. Raises: ToolNotFound."""
    name = program.executable
    if not is_there(program):
        raise ToolNotFound(f"{name} not found on PATH; {program.install}")
    try:
        done = subprocess.run(
            [name, *program.says_version],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolNotFound(f"{name} does not run ({error}); {program.install}") from None
    text = (done.stdout + done.stderr).strip()
    if done.returncode or not text:
        raise ToolNotFound(
            f"{name} {' '.join(program.says_version)} exited {done.returncode} and said "
            f"{text[-200:]!r}; {program.install}"
        )
    return text
