"""What options mean, where several commands share them."""

from typing import TYPE_CHECKING, TypedDict

import click

from bitfold.errors import ConfigError

if TYPE_CHECKING:
    from bitfold.synth.plan import Runner

# Hidden where a command has six options already; examples show it.
RUNNER = click.option(
    "--runner",
    type=click.Choice(["local", "docker"]),
    default="local",
    hidden=True,
    help="docker: the tools of bitfold's image, see docker/README.md.",
)


def build_runner(named: str) -> "Runner":
    """What `--runner` names."""
    from bitfold.synth.docker import DockerRunner
    from bitfold.synth.plan import LocalRunner

    return DockerRunner() if named == "docker" else LocalRunner()


class Within(TypedDict):
    """The most that a design may take; None: no limit."""

    luts: float | None
    brams: float | None


def local_only(named: str) -> None:
    """Raise ConfigError for a runner that has no Vivado."""
    if named != "local":
        raise ConfigError(f"--runner {named}: Vivado is not in bitfold's image; leave it out")


def serial_layers(text: str) -> str | tuple[str, ...]:
    """FINN's MVAUs that become bit-serial: "all", "smaller", or names behind commas.

    Raises: ConfigError where nothing is named.
    """
    names = tuple(filter(None, text.split(",")))
    if not names:
        raise ConfigError(f"bit-serial layers are all, smaller or NAME,NAME; got {text!r}")
    return names[0] if names in (("all",), ("smaller",)) else names


def within(target: str, part: str | None, luts: int | None) -> Within:
    """The budget of `--luts` and of `--part`, a device of the target.

    Raises: ConfigError for a part that the target does not have.
    """
    from bitfold.synth.target import load_target

    if part is None:
        return {"luts": luts, "brams": None}
    found = load_target(target).part(part)
    return {"luts": found.room if luts is None else min(found.room, luts), "brams": found.brams}
