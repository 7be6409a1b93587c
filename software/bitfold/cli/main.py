"""The command line: a table of subcommands, and what becomes of errors.

Exit codes: 0 done; 2 a mistake of the user's or of a tool, one message on stderr; 130 Ctrl-C.
"""

import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import final

import click

from bitfold import __version__
from bitfold.errors import BitfoldError

# Name -> module that holds it as `command`, in the order in which a design comes about. Modules
# are loaded when their command is used, and import what is heavy inside it.
COMMANDS: Mapping[str, str] = {
    "search": "bitfold.cli.search",
    "cost": "bitfold.cli.cost",
    "quantise-input": "bitfold.cli.quantise_input",
    "explore": "bitfold.cli.explore",
    "estimate": "bitfold.cli.estimate",
    "export": "bitfold.cli.export",
    "compile": "bitfold.cli.compile",
    "verify": "bitfold.cli.verify",
    "synth": "bitfold.cli.synth",
    "hls": "bitfold.cli.hls",
    "bitstream": "bitfold.cli.bitstream",
    "finn": "bitfold.cli.finn",
    "run": "bitfold.cli.run",
    "report": "bitfold.cli.report",
    "calibrate": "bitfold.cli.calibrate",
}


@final
class _Table(click.Group):
    """A group whose commands come from COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bitfold")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Learn the bit-width of every layer of a network, compile it to a bit-serial accelerator,
    prove it bit for bit, and make a bitstream.

    \b
    The whole path, a file at each step:
      bitfold search runs/digits.toml -o build/digits
      bitfold compile build/digits/model.onnx -o build/digits/design
      bitfold verify build/digits/design
      bitfold synth build/digits/design --target ecp5
      bitfold bitstream build/digits/design --board ulx3s
      bitfold report build/digits
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run a command line; its exit code."""
    debug = "--debug" in arguments[:1]
    try:
        cli.main(args=arguments, prog_name="bitfold", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("bitfold: interrupted", err=True)
        return 130
    except BitfoldError as error:
        return _fail(str(error), debug)
    except OSError as error:
        # A full disk, a missing right, a file that is a folder: the system's words are the best.
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", debug)
    return 0


def _fail(message: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    click.echo(f"bitfold: {message}", err=True)
    return 2
