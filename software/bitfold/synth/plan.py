"""A build as data: files and commands, with a digest, free of absolute paths.

The same plan gives the same digest on every machine, so that a finished build is found again and
a plan may run elsewhere than here (see `Runner`). A build is finished when, and only when, its
folder has its final name: it runs under a temporary name, which a kill leaves behind and the next
run of the same plan sweeps away. After a failure the folder stays as <name>-<key>.failed, with
the logs.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path, PurePosixPath
from typing import Protocol, final

from bitfold.errors import ToolFailed
from bitfold.files import write_json
from bitfold.synth import tools
from bitfold.synth.vendor_logs import DISK_FULL

_ROOM = 1 << 20  # bytes; with less, no tool can be believed: half a file may be gone by now
_KILLS = {9: "SIGKILL", 15: "SIGTERM"}


@final
@dataclass(frozen=True, kw_only=True)
class Command:
    """A tool of `tools.TOOLS` with its arguments; what it says goes to the file `log`."""

    tool: str
    args: tuple[str, ...]
    log: str


@final
@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """Files (relative name -> bytes), commands that run beside them, and the files they make."""

    name: str
    files: Mapping[str, bytes]
    commands: tuple[Command, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in (*self.files, *self.outputs, *(c.log for c in self.commands)):
            path = PurePosixPath(name)
            inside = not path.is_absolute() and ".." not in path.parts
            assert inside, f"{name!r} leaves the build"

    def digest(self) -> str:
        """SHA-256 over everything in the plan, hexadecimal; the order of files plays no part."""
        commands = [[c.tool, *c.args, c.log] for c in self.commands]
        state = hashlib.sha256(json.dumps([self.name, commands, self.outputs]).encode())
        for name, data in sorted(self.files.items()):
            state.update(json.dumps([name, len(data)]).encode())
            state.update(data)
        return state.hexdigest()


class Runner(Protocol):
    """Where commands run: here, or in a container that has the tools."""

    def identity(self, tool: str) -> str:
        """Name and version of a tool. Raises: ToolNotFound."""

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """Run in `folder`, write all output to `log`; the exit status."""


@final
@dataclass(frozen=True)
class LocalRunner:
    """Run the tools of the Python environment that bitfold runs in."""

    def identity(self, tool: str) -> str:
        """As the protocol says."""
        return tools.tool_version(tool)

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol says. The process dies with an interrupted caller."""
        with log.open("wb") as out:
            return subprocess.run(
                [*tools.argv(command.tool), *command.args],
                cwd=folder,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode


@final
@dataclass(frozen=True, kw_only=True)
class Built:
    """A finished build: its plan's name, its folder, its seconds when it ran, and whether it ran
    just now."""

    name: str
    folder: Path
    seconds: float
    reused: bool
    tools: Mapping[str, str]
    digest: str


# What stopped a tool, read from the logs in the build's folder; None where they do not say.
Explain = Callable[[Path], str | None]


def execute(
    plan: BuildPlan, cache: Path, runner: Runner | None = None, explain: Explain | None = None
) -> Built:
    """Run the plan in a new folder of `cache`, or find the build that equal input made there.

    explain: asked when a tool failed; what it answers stands in place of the tool's last lines.
    Raises: ToolNotFound; ToolFailed with the last lines of a tool that said no.
    """
    runner = runner or LocalRunner()
    versions = {c.tool: runner.identity(c.tool) for c in plan.commands}
    digest = plan.digest()
    key = hashlib.sha256(json.dumps([digest, versions], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache / f"{plan.name}-{key}"
    took = _took(folder, plan)
    if took is not None:
        return Built(
            name=plan.name,
            folder=folder,
            seconds=took,
            reused=True,
            tools=versions,
            digest=digest,
        )
    failed = cache / f"{folder.name}.failed"
    _sweep(cache, f".{folder.name}-")
    work = cache / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    started = time.monotonic()
    try:
        work.mkdir(parents=True)
        for name, data in plan.files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(data)
        for command in plan.commands:
            _run(command, work, failed, runner, explain)
        for name in plan.outputs:
            if not (work / name).is_file():
                why = explain(work) if explain else None
                _keep(work, failed)
                raise ToolFailed(
                    f"{plan.name}: the tools succeeded without writing {name!r}"
                    + (f": {why}" if why else "")
                    + f". All they said is in {failed / plan.commands[-1].log}"
                )
        seconds = time.monotonic() - started
        write_json(work / "build.json", {"digest": digest, "tools": versions, "seconds": seconds})
        _publish(work, folder)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        full = "; is the disk full?" if error.errno in (ENOSPC, EDQUOT) else ""
        raise ToolFailed(
            f"{cache}: cannot write the build {plan.name!r} ({error}){full}"
        ) from error
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return Built(
        name=plan.name,
        folder=folder,
        seconds=seconds,
        reused=False,
        tools=versions,
        digest=digest,
    )


def _run(
    command: Command, work: Path, failed: Path, runner: Runner, explain: Explain | None
) -> None:
    started = time.monotonic()
    try:
        status = runner.run(command, work, work / command.log)
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise
        raise ToolFailed(f"{command.tool} cannot be started ({error})") from None
    if status == 0:
        return
    seconds = time.monotonic() - started
    text = (work / command.log).read_text(errors="replace")
    why = (explain(work) if explain else None) or _reason(status, text, work)
    _keep(work, failed)
    if why:
        raise ToolFailed(f"{command.tool}: {why}. All it said is in {failed / command.log}")
    raise ToolFailed(
        f"{command.tool} exited {status} after {seconds:.0f} s; last lines "
        f"below, all in {failed / command.log}\n" + "\n".join(text.splitlines()[-15:])
    )


def _keep(work: Path, failed: Path) -> None:
    """The logs of a run that came to nothing, instead of those of the run before."""
    shutil.rmtree(failed, ignore_errors=True)
    work.rename(failed)


def _reason(status: int, text: str, work: Path) -> str | None:
    """What stops any tool; None where it is the tool's own matter.

    A full disk may leave the log without a word of it. A container's status is 128 and the signal.
    """
    if DISK_FULL.search(text) or shutil.disk_usage(work).free < _ROOM:
        return f"the disk of {work.parent} is full; make room and start again"
    killed = -status if status < 0 else status - 128
    if killed in _KILLS:
        return f"killed by {_KILLS[killed]}, perhaps for want of memory; start the build again"
    return None


def _took(folder: Path, plan: BuildPlan) -> float | None:
    """Seconds that a finished build took; None where there is none, or not all of it any more."""
    try:
        seconds = json.loads((folder / "build.json").read_text())["seconds"]
    except (OSError, ValueError, KeyError, TypeError):
        seconds = None
    if isinstance(seconds, float) and all((folder / name).is_file() for name in plan.outputs):
        return seconds
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _publish(work: Path, folder: Path) -> None:
    try:
        work.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(work)  # somebody else finished the same build first


def _sweep(cache: Path, prefix: str) -> None:
    """Remove what killed runs of this build left behind."""
    for path in cache.glob(f"{prefix}*"):
        pid = path.name.removeprefix(prefix)
        if not (pid.isdecimal() and alive(int(pid))):
            shutil.rmtree(path, ignore_errors=True)


def alive(pid: int) -> bool:
    """Whether a process of this machine has that number, of whatever user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
