"""FINN in its own container: how it is started, and what must be there before.

FINN is a clone of its repository; its run-docker.sh builds the image and starts it. The user's
Vivado is mounted from FINN_XILINX_PATH, as FINN's documentation says.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ToolNotFound
from bitfold.synth.plan import Command

TOOL = "finn"
SCRIPT = "run-docker.sh"
PLACE, VERSION, LICENCE = "FINN_XILINX_PATH", "FINN_XILINX_VERSION", "XILINXD_LICENSE_FILE"
_SECONDS = 60.0
_NAME = re.compile(r"^20\d\d\.[1-4]$")


@final
@dataclass(frozen=True, kw_only=True)
class FinnDocker:
    """A `plan.Runner` for commands of the tool "finn": their arguments run in the container.

    clone: folder of FINN's repository.
    """

    clone: Path

    def identity(self, tool: str) -> str:
        """As the protocol says. Raises: ToolNotFound for whatever is missing, with its remedy."""
        assert tool == TOOL, tool
        self._check_clone()
        place, version = self._vivado()
        self._check_docker()
        return f"finn {self._commit()}, Vivado {version} in {place}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol says."""
        words, around = self.start(command, folder)
        with log.open("wb") as out:
            return subprocess.run(
                words,
                cwd=self.clone,
                env=os.environ | around,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode

    def start(self, command: Command, folder: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """The command line, run in the clone, and the settings that it reads.

        The plain form: FINN's build_dataflow and build_custom want a terminal.
        """
        where = folder.resolve()
        extra = f"-v {where}:{where}"
        licence = os.environ.get(LICENCE, "")
        if licence:
            mount = f" -v {licence}:{licence}" if Path(licence).exists() else " --network=host"
            extra += f"{mount} -e {LICENCE}={licence}"
        args = [word.replace("{folder}", str(where)) for word in command.args]
        return (f"./{SCRIPT}", *args), {
            "FINN_DOCKER_EXTRA": f" {extra} ",
            "FINN_HOST_BUILD_DIR": str(where / "scratch"),
        }

    def _check_clone(self) -> None:
        if not (self.clone / SCRIPT).is_file():
            raise ToolNotFound(
                f"{self.clone}: no {SCRIPT}; name a clone of FINN's repository "
                "(git clone https://github.com/Xilinx/finn) with --finn"
            )

    def _vivado(self) -> tuple[Path, str]:
        named, version = os.environ.get(PLACE, ""), os.environ.get(VERSION, "")
        if not named or not version:
            raise ToolNotFound(
                f"{PLACE} and {VERSION} are not set; FINN's container mounts Vivado from there, "
                f"for example {PLACE}=/opt/Xilinx {VERSION}=2022.2"
            )
        if not _NAME.match(version):
            raise ToolNotFound(f"{VERSION} must be a version as in 2022.2, got {version!r}")
        place = Path(named)
        if not any((place / each).is_dir() for each in (f"Vivado/{version}", f"{version}/Vivado")):
            raise ToolNotFound(f"{place}: no Vivado {version} in it; see {PLACE} and {VERSION}")
        return place, version

    def _check_docker(self) -> None:
        if shutil.which("docker") is None:
            raise ToolNotFound("docker not found on PATH; FINN runs in a container of it")
        try:
            done = subprocess.run(
                ["docker", "info"],
                check=False,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolNotFound(
                f"docker does not answer ({error}); is its daemon running?"
            ) from None
        if done.returncode:
            said = " ".join(done.stderr.split())[-200:]
            raise ToolNotFound(f"docker info failed ({said}); start Docker, or join its group")

    def _commit(self) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.clone), "rev-parse", "--short", "HEAD"],
            check=False,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip() or "without a commit"
