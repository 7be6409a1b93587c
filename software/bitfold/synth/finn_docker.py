"""FINN in its own container: how it is started, and what must be there before.

FINN is a clone of its repository; its run-docker.sh builds the image and starts it. The user's
Vivado is mounted from FINN_XILINX_PATH, as FINN's documentation says.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ConfigError, ToolNotFound
from bitfold.synth.docker import (
    check_daemon,
    container_name,
    remove_orphans,
    removed_if_interrupted,
)
from bitfold.synth.plan import Command
from bitfold.synth.vivado import NEWEST, OLDEST

TOOL = "finn"
SCRIPT = "run-docker.sh"
# Of FINN's branch dev, April 2026: the first known here with Trunc 2 and Vivado 2024.2.
COMMIT = "73ba5ed"
PLACE, VERSION, LICENCE = "FINN_XILINX_PATH", "FINN_XILINX_VERSION", "XILINXD_LICENSE_FILE"
EXTRA = "FINN_DOCKER_EXTRA"  # the user's own stays in it
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
        check_daemon("FINN")
        return f"finn {self.commit() or 'without a commit'}, Vivado {version} in {place}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol says. The container dies with an interrupted caller; one that outlived
        a killed caller is removed first."""
        words, around = self.start(command, folder)
        remove_orphans(folder)
        named = {EXTRA: f"{around[EXTRA]}--name {container_name(folder)} "}
        with removed_if_interrupted(folder), log.open("wb") as out:
            return subprocess.run(
                words,
                cwd=self.clone,
                env=os.environ | around | named,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode

    def start(self, command: Command, folder: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """The command line, run in the clone, and the settings that it reads.

        The plain form: FINN's build_dataflow and build_custom want a terminal.
        Raises: ConfigError for a path that FINN's script would take apart, ToolNotFound for a
        licence that is not there.
        """
        where = folder.resolve()
        for what, path in (
            ("the build's folder", str(where)),
            ("FINN's clone", str(self.clone.resolve())),
            (PLACE, os.environ.get(PLACE, "")),
        ):
            _check_path(what, path)
        args = [word.replace("{folder}", str(where)) for word in command.args]
        mine = " ".join((os.environ.get(EXTRA, ""), f"-v {where}:{where}", *_licence())).strip()
        return (f"./{SCRIPT}", *args), {
            EXTRA: f" {mine} ",
            "FINN_HOST_BUILD_DIR": str(where / "scratch"),
        }

    def _check_clone(self) -> None:
        if not (self.clone / SCRIPT).is_file():
            raise ToolNotFound(
                f"{self.clone}: no {SCRIPT}; name a clone of FINN's repository "
                f"at {COMMIT} with --finn: git clone https://github.com/Xilinx/finn && git -C finn "
                f"checkout {COMMIT}"
            )

    def _vivado(self) -> tuple[Path, str]:
        named, version = os.environ.get(PLACE, ""), os.environ.get(VERSION, "")
        if not named or not version:
            raise ToolNotFound(
                f"{PLACE} and {VERSION} are not set; FINN's container mounts Vivado from there, "
                f"for example {PLACE}=/opt/Xilinx {VERSION}=2022.2"
            )
        if not Path(named).is_absolute():
            raise ToolNotFound(f"{PLACE} must be an absolute path, got {named!r}")
        if not _NAME.match(version):
            raise ToolNotFound(f"{VERSION} must be a version as in 2022.2, got {version!r}")
        low, high = (".".join(map(str, each)) for each in (OLDEST, NEWEST))
        if not low <= version <= high:
            raise ToolNotFound(f"{VERSION} is {version}; FINN's builds here take {low} to {high}")
        place = Path(named)
        for tool, names in (("Vivado", ("Vivado",)), ("Vitis HLS", ("Vitis_HLS", "Vitis"))):
            folders = [f for x in names for f in (f"{x}/{version}", f"{version}/{x}")]
            if not any((place / each).is_dir() for each in folders):
                raise ToolNotFound(f"{place}: no {tool} {version} in it; see {PLACE} and {VERSION}")
        return place, version

    def commit(self) -> str | None:
        """The clone's, in full; None for a folder that is no clone, or without git."""
        try:
            done = subprocess.run(
                ["git", "-C", str(self.clone), "rev-parse", "--show-prefix", "HEAD"],
                check=False,
                capture_output=True,
                text=True,
            )
        except OSError:
            return None
        # A folder inside another repository has a prefix there, and that one's commit.
        prefix, _, commit = done.stdout.partition("\n")
        return commit.strip() or None if done.returncode == 0 and not prefix else None

    def warning(self) -> str | None:
        """What to say where the clone is at another commit than this was made for."""
        found = self.commit()
        if found and found.startswith(COMMIT):
            return None
        return (
            f"{self.clone} is at {found[:7] if found else 'no known commit'}; this was made for "
            f"FINN's {COMMIT}, got by: git -C {self.clone} checkout {COMMIT}"
        )


def _check_path(what: str, path: str) -> None:
    """Raise ConfigError for a path that FINN's script, which quotes nothing, would take apart."""
    wrong = re.search(r"[\s:*?\[]", path)
    if wrong:
        raise ConfigError(
            f"{path}: {what} has {wrong[0]!r} in its path, at which FINN's {SCRIPT} takes it "
            "apart; move it to a path without"
        )


def _licence() -> tuple[str, ...]:
    """Words for docker: files of licences mounted, servers reached."""
    there = []
    words: list[str] = []
    for each in filter(None, os.environ.get(LICENCE, "").split(os.pathsep)):
        path = Path(each).resolve()
        if path.exists():
            _check_path(LICENCE, str(path))
            words.append(f"-v {path}:{path}")
            there.append(str(path))
        elif "@" in each:
            there.append(each)
        else:
            raise ToolNotFound(f"{LICENCE} names {each!r}, which is no file and no port@host")
    if any("@" in each for each in there):
        words.append("--network=host")
    return (*words, f"-e {LICENCE}={os.pathsep.join(there)}") if there else ()
