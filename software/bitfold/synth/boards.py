"""Boards: a folder of hardware/boards each, with a top, constraints and board.toml.

Here are those that the open tools build for; `bitfold.amd.vivado_board` has Vivado's.
"""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import final

from bitfold.errors import ConfigError
from bitfold.hardware import hardware_folder

_VCO_MHZ = (400.0, 800.0)
_REFERENCE_MHZ = (10.0, 400.0)  # what the PLL compares, after its input divider


@final
@dataclass(frozen=True, kw_only=True)
class Board:
    """One board. `rtl` and `constraints` are files of `folder`; `clock_mhz` is its oscillator.

    rtl_modes: in place of `rtl` for designs with precision modes.
    """

    name: str
    title: str
    folder: Path
    target: str
    part: str
    parts: tuple[str, ...]
    top: str
    rtl: tuple[str, ...]
    rtl_modes: tuple[str, ...]
    constraints: str
    clock_mhz: float
    baud: int
    pack: str
    pack_flags: tuple[str, ...]


@final
@dataclass(frozen=True, kw_only=True)
class Pll:
    """Dividers: the clock is `clock_mhz` = input * feedback / in; out 0 stands for no PLL."""

    clock_mhz: float
    in_div: int
    feedback_div: int
    out_div: int


def board_names(hardware: Path | None = None) -> tuple[str, ...]:
    """All boards that have a folder."""
    folder = (hardware or hardware_folder()) / "boards"
    return tuple(sorted(path.parent.name for path in folder.glob("*/board.toml")))


def board_folder(name: str, hardware: Path | None = None) -> Path:
    """Where a board's files are. Raises: ConfigError for an unknown name."""
    names = board_names(hardware)
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}" if near else f"boards: {', '.join(names)}"
        raise ConfigError(f"board {name!r} is unknown; {hint}")
    return (hardware or hardware_folder()) / "boards" / name


def board_flow(name: str, hardware: Path | None = None) -> str:
    """The tools that build for a board: "open" or "vivado". Raises: ConfigError."""
    table = tomllib.loads((board_folder(name, hardware) / "board.toml").read_text())
    return str(table.get("flow", "open"))


def load_board(name: str, hardware: Path | None = None) -> Board:
    """Read hardware/boards/<name>/board.toml of a board that the open tools build for.

    Raises: ConfigError for an unknown name, or a board of another flow.
    """
    folder = board_folder(name, hardware)
    table = tomllib.loads((folder / "board.toml").read_text())
    if "flow" in table:
        raise ConfigError(f"board {name!r} is built by {table['flow']}, not by the open tools")
    lists = {k: tuple(v) for k, v in table.items() if isinstance(v, list)}
    return Board(name=name, folder=folder, **(table | lists))


def board_part(board: Board, part: str | None) -> str:
    """The part to build for. Raises: ConfigError for one that the board is not made with."""
    if part is not None and part not in board.parts:
        raise ConfigError(f"board {board.name} has no {part!r}; parts: {', '.join(board.parts)}")
    return part or board.part


def bit_cycles(clock_mhz: float, baud: int) -> int:
    """Clock cycles of a bit on the line. Raises: ConfigError when the rate would be 2 % off."""
    cycles = round(clock_mhz * 1e6 / baud)
    if cycles < 4 or abs(clock_mhz * 1e6 / baud / cycles - 1) > 0.02:
        raise ConfigError(
            f"baud {baud} does not divide {clock_mhz:g} MHz: a bit of {clock_mhz * 1e6 / baud:.2f} "
            "cycles must be within 2 % of a whole number of at least 4. Choose another baud rate."
        )
    return cycles


def pll(board: Board, clock_mhz: float) -> Pll:
    """Dividers for a clock, its oscillator as near to 600 MHz as can be.

    Raises: ConfigError when no dividers give it; names the nearest that they give.
    """
    if clock_mhz == board.clock_mhz:
        return Pll(clock_mhz=clock_mhz, in_div=1, feedback_div=1, out_div=0)
    best: tuple[float, float, Pll] | None = None
    for in_div in range(1, 129):
        reference = board.clock_mhz / in_div
        if not _REFERENCE_MHZ[0] <= reference <= _REFERENCE_MHZ[1]:
            continue
        for feedback in range(1, 81):
            real = reference * feedback
            for out_div in range(1, 129):
                if not _VCO_MHZ[0] <= real * out_div <= _VCO_MHZ[1]:
                    continue
                found = Pll(clock_mhz=real, in_div=in_div, feedback_div=feedback, out_div=out_div)
                rank = (abs(real - clock_mhz), abs(real * out_div - 600.0))
                if best is None or rank < best[:2]:
                    best = (*rank, found)
    if best is None or best[0] > 1e-9 * clock_mhz:
        near = f"; nearest is {best[2].clock_mhz:.4f}" if best else ""
        raise ConfigError(
            f"board {board.name}: no PLL dividers give {clock_mhz:g} MHz from "
            f"{board.clock_mhz:g}{near}"
        )
    return best[2]
