"""Vivado as a tool of a build plan: where it is, which version, how it is started.

It is looked up on PATH, and its environment is the caller's (licences included).
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import final

from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.synth.plan import Command

TOOL = "vivado"
OLDEST, NEWEST = (2022, 2), (2025, 2)
_SECONDS = 120.0  # for `vivado -version`, over a network drive
_VERSION = re.compile(r"^\s*vivado\s+v?(\d{4})\.(\d)", re.IGNORECASE | re.MULTILINE)


def vivado_version(said: str) -> str:
    """Version out of what `vivado -version` says, as in "2023.2". Raises: ToolNotFound."""
    found = _VERSION.search(said)
    if found is None:
        raise ToolNotFound(
            f"vivado -version says {said.strip().splitlines()[:1]}, which names no version; is the "
            "program on PATH AMD's Vivado?"
        )
    version = int(found[1]), int(found[2])
    if not OLDEST <= version <= NEWEST:
        low, high = (".".join(map(str, each)) for each in (OLDEST, NEWEST))
        raise ToolNotFound(
            f"vivado is version {found[1]}.{found[2]}; supported are {low} to {high}. Put one of "
            "these on PATH (source its settings64.sh)"
        )
    return f"{found[1]}.{found[2]}"


@final
class VivadoRunner:
    """A `plan.Runner` for commands of the tool "vivado"."""

    def identity(self, tool: str) -> str:
        """As the protocol says; also ToolNotFound for a version that is not supported."""
        program = self._program(tool)
        try:
            done = subprocess.run(
                [program, "-version"],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolFailed(f"vivado -version did not answer ({error})") from None
        return f"{TOOL} {vivado_version(done.stdout + done.stderr)}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol says."""
        with log.open("wb") as out:
            return subprocess.run(
                [self._program(command.tool), *command.args],
                cwd=folder,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode

    def _program(self, tool: str) -> str:
        assert tool == TOOL, tool
        found = shutil.which(tool)
        if found is None:
            raise ToolNotFound(
                "vivado not found on PATH. Install AMD Vivado (2022.2 to 2025.2; the free edition "
                "has the boards' parts) and source its settings64.sh. "
                "`bitfold bitstream --dry-run` writes a board's scripts without it"
            )
        return found
