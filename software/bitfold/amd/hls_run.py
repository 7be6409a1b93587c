"""Start Vitis HLS on an emitted folder: C simulation, synthesis, export as IP."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.amd.hls_tcl import IP, REPORT, SCRIPT
from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.files import digest, read_json, write_json
from bitfold.synth.on_path import PathRunner, Program, is_there, version_text
from bitfold.synth.plan import BuildPlan, Command, execute
from bitfold.synth.vendor_logs import DISK_FULL, LICENCE

KIND = "hls-run"
SCHEMA = 1
OLDEST, NEWEST = (2022, 2), (2025, 2)
LOG = "vitis.log"
_REMEDY = "source settings64.sh of Vitis 2022.2 to 2025.2 first"
_NOT_INPUT = ("csim.json", "run.json", "hls.json", IP, REPORT)


@final
@dataclass(frozen=True, kw_only=True)
class Vitis:
    """A program that runs a Tcl script of Vitis HLS, and its arguments."""

    program: Program
    args: tuple[str, ...]


# The first that is there; vitis-run takes no arguments for the script.
_STARTS = (
    Vitis(
        program=Program(executable="vitis-run", says_version=("--version",), install=_REMEDY),
        args=("--mode", "hls", "--tcl", SCRIPT),
    ),
    Vitis(
        program=Program(executable="vitis_hls", says_version=("-version",), install=_REMEDY),
        args=("-f", SCRIPT),
    ),
)


def find_vitis() -> Vitis:
    """What PATH has. Raises: ToolNotFound, also for a version that this is not written for."""
    found = [start for start in _STARTS if is_there(start.program)]
    if not found:
        raise ToolNotFound(f"neither vitis-run nor vitis_hls is on PATH; {_REMEDY}")
    name = found[0].program.executable
    text = version_text(found[0].program)
    version = re.search(r"\bv?(20\d\d)\.(\d)", text)
    if version is None:
        raise ToolNotFound(f"{name} says no version that can be read ({text[:80]!r}); {_REMEDY}")
    number = (int(version[1]), int(version[2]))
    if not OLDEST <= number <= NEWEST:
        raise ToolNotFound(f"{name} is version {number[0]}.{number[1]}; {_REMEDY}")
    return found[0]


def run_vitis(folder: Path, cache: Path) -> Path:
    """Run run_hls.tcl on the files of `folder`, which `write_hls` made; ip.zip and csynth.xml are
    put there. A build that ran through is found again, one that was killed starts anew.

    Returns the path of ip.zip.
    Raises: ToolNotFound; ToolFailed, naming licence and disk where the log speaks of them.
    """
    about = read_json(folder / "hls.json", "hls", 1)
    vitis = find_vitis()
    plan = BuildPlan(
        name="vitis-hls",
        files=_files(folder),
        commands=(Command(tool=vitis.program.executable, args=vitis.args, log=LOG),),
        outputs=(IP, REPORT),
    )
    programs = {vitis.program.executable: vitis.program}
    try:
        built = execute(plan, cache, PathRunner(programs=programs))
    except ToolFailed as error:
        raise _explained(error, cache, about["part"]) from error
    for name in (IP, REPORT):
        shutil.copyfile(built.folder / name, folder / name)
    value = {"kind": KIND, "schema": SCHEMA, "hls": digest(folder / "hls.json")}
    value |= {"ip": digest(folder / IP), "part": about["part"], "tools": dict(built.tools)}
    write_json(folder / "run.json", value)
    return folder / IP


def _files(folder: Path) -> dict[str, bytes]:
    paths: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if name not in _NOT_INPUT}


def _explained(error: ToolFailed, cache: Path, part: str) -> ToolFailed:
    """The same with the cause, where the log of the run names one that is known."""
    logs = sorted(cache.glob(f"vitis-hls-*.failed/{LOG}"), key=lambda path: path.stat().st_mtime)
    text = logs[-1].read_text(errors="replace") if logs else ""
    if LICENCE.search(text):
        return ToolFailed(
            f"Vitis HLS has no licence for {part}: set XILINXD_LICENSE_FILE, or take a part of the "
            f"free edition with --part; all in {logs[-1]}"
        )
    if DISK_FULL.search(text):
        return ToolFailed(
            f"Vitis HLS ran out of disk in {cache}: make room and start again; all in {logs[-1]}"
        )
    return error
