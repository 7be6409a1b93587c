"""Build plans in the image of docker/open.Dockerfile: a `plan.Runner` that starts containers.

The build's folder is mounted at its own path, so that files name the same places inside and out,
and the container runs as the caller, who then owns what it makes. It has no network. A container
is named after the build's folder: one that outlived a killed bitfold is found by that name and
removed before its plan runs again.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import bitfold
from bitfold.errors import ToolNotFound
from bitfold.synth.plan import Command, alive
from bitfold.synth.tools import TOOLS

IMAGE = f"bitfold:{bitfold.__version__}"
BUILD_IMAGE = f"docker build -f docker/open.Dockerfile -t {IMAGE} ."
_ASK_SECONDS = 120.0
_BUILD = re.compile(r"^\.(?P<build>.+)-(?P<pid>\d+)$")  # how `plan.execute` names a running build


@final
@dataclass(frozen=True, kw_only=True)
class DockerRunner:
    """Runs the commands of `tools.TOOLS` in containers of an image that has bitfold."""

    image: str = IMAGE

    def identity(self, tool: str) -> str:
        """As the protocol says, with the image: the same versions elsewhere are another build.

        Raises: ToolNotFound without docker, its daemon, the image, or the tool in it.
        """
        check_daemon("--runner docker")
        found = _ask("image", "inspect", "--format", "{{.Id}}", self.image)
        if found.returncode:
            raise ToolNotFound(
                f"image {self.image} is not there ({_last(found)}); build it in bitfold's "
                f"repository with: {BUILD_IMAGE}"
            )
        code = f"from bitfold.synth.tools import tool_version; print(tool_version({tool!r}))"
        said = _ask("run", "--rm", "--network", "none", "--entrypoint", "python", self.image,
                    "-c", code)  # fmt: skip
        if said.returncode:
            raise ToolNotFound(
                f"image {self.image}: it has no {tool} ({_last(said)}); build it again with: "
                f"{BUILD_IMAGE}"
            )
        return f"{said.stdout.strip()} in image {found.stdout.strip().removeprefix('sha256:')[:12]}"

    def run(self, command: Command, folder: Path, log: Path) -> int:
        """As the protocol says. The container dies with an interrupted caller."""
        remove_orphans(folder)
        _kept(folder).mkdir(exist_ok=True)  # by us: Docker would make it root's
        with removed_if_interrupted(folder), log.open("wb") as out:
            return subprocess.run(
                self.start(command, folder),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ).returncode

    def start(self, command: Command, folder: Path) -> tuple[str, ...]:
        """The command line."""
        where, kept = folder.resolve(), _kept(folder)
        mounts = [_mount(path) for path in (where, kept)]
        return (
            *("docker", "run", "--rm", "--init", "--pull", "never", "--network", "none"),
            *("--name", container_name(folder), "--user", _user()),
            *("--mount", mounts[0], "--mount", mounts[1], "--workdir", str(where)),
            *("--env", f"YOWASP_CACHE_DIR={kept}", "--entrypoint", "python", self.image),
            *("-c", TOOLS[command.tool].code, *command.args),
        )


def _mount(path: Path) -> str:
    """A folder at its own path: a line of CSV, in which a quote is written twice."""
    text = str(path).replace('"', '""')
    return f'type=bind,"source={text}","target={text}"'


def check_daemon(what: str) -> None:
    """Raises: ToolNotFound where there is no docker, or no daemon that answers.

    what: who needs it, for the message.
    """
    if shutil.which("docker") is None:
        raise ToolNotFound(f"docker not found on PATH; {what} starts containers with it")
    done = _ask("info", "--format", "{{.ServerVersion}}")
    if done.returncode:
        raise ToolNotFound(f"docker info failed ({_last(done)}); start Docker, or join its group")


def _ask(*words: str) -> subprocess.CompletedProcess[str]:
    """A question to docker, that ends soon. Raises: ToolNotFound when it does not."""
    try:
        return subprocess.run(
            ["docker", *words],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolNotFound(f"docker does not answer ({error}); is its daemon running?") from None


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr or done.stdout).split())[-200:]


def _user() -> str:
    """Who the tools run as: the caller; under rootless Docker root, who is the caller there."""
    options = _ask("info", "--format", "{{json .SecurityOptions}}").stdout
    try:
        rootless = "name=rootless" in (json.loads(options) or [])
    except json.JSONDecodeError:
        rootless = False
    return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"


@contextmanager
def removed_if_interrupted(folder: Path) -> Iterator[None]:
    """Around the run of a build's container, which outlives whoever started it otherwise."""
    try:
        yield
    except BaseException:
        with suppress(ToolNotFound):  # what ended the run is the message
            _ask("rm", "--force", container_name(folder))
        raise


def container_name(folder: Path) -> str:
    """Of the build that runs in `folder`."""
    return f"bitfold{folder.name}"


def _kept(folder: Path) -> Path:
    """What the tools compile for themselves at their first call lies beside the builds."""
    return folder.resolve().parent / "in-docker"


def remove_orphans(folder: Path) -> None:
    """Stop containers of this build whose bitfold was killed; live ones are another process's."""
    build = _BUILD.match(folder.name)
    if build is None:
        return
    prefix = f"bitfold.{build['build']}-"
    listed = _ask("ps", "--all", "--filter", f"name={prefix}", "--format", "{{.Names}}")
    for name in listed.stdout.split():
        pid = name.removeprefix(prefix)
        if pid.isdecimal() and not alive(int(pid)):
            _ask("rm", "--force", name)
