"""Boards: a folder of hardware/boards each, with constraints and board.toml.

Here are those that the open tools build for, all with the top in hardware/boards/common;
`bitfold.amd.vivado_board` has Vivado's.
"""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import final

from bitfold.errors import ConfigError
from bitfold.hardware import hardware_folder
from bitfold.synth.target import load_target

TOP = "board_top"
CONTROL = ("high", "low")  # what a button gives while pressed


@final
@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    constraints: a file of `folder`. clock_mhz: its oscillator. baud: one that its serial chip has.
    leds:        lamps, 1 to 8. leds_low: they are lit by 0.
    button:      what it gives while pressed, "high" or "low"; "none": there is none.
    hold_high:   a pin must be 1.
    package:     flags of nextpnr, where the part's package is not the target's usual one.
    """

    name: str
    title: str
    folder: Path
    target: str
    part: str
    parts: tuple[str, ...]
    constraints: str
    clock_mhz: float
    baud: int
    leds: int
    leds_low: bool = False
    button: str = "none"
    hold_high: bool = False
    package: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert 1 <= self.leds <= 8, f"{self.name}: 1 to 8 lamps"
        assert self.button in (*CONTROL, "none"), f"{self.name}: button {self.button!r}"

    @property
    def absent(self) -> tuple[str, ...]:
        """Ports of the top that the board has no pin for."""
        found = {"button_i": self.button != "none", "high_o": self.hold_high}
        return tuple(name for name, there in found.items() if not there)

    def parameters(self) -> dict[str, int | str]:
        """Parameters of the top that say what the board has."""
        return {
            "Leds": self.leds,
            "LedsLow": f"1'b{int(self.leds_low)}",
            "Button": f"1'b{int(self.button != 'none')}",
            "ButtonLow": f"1'b{int(self.button == 'low')}",
        }

    def rtl(self, *, modes: bool) -> tuple[Path, ...]:
        """Files of the top; modes: for a design with precision modes."""
        common = self.folder.parent / "common"
        core = common / ("modes/board_core.sv" if modes else "board_core.sv")
        return (common / self.target / "board_clock.sv", core, common / f"{TOP}.sv")


@final
@dataclass(frozen=True, kw_only=True)
class Pll:
    """Dividers that give `clock_mhz` (see `target.PllRange`); out 0 stands for no PLL."""

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
    if baud < 1:
        raise ConfigError(f"baud must be 1 or more, got {baud}")
    cycles = round(clock_mhz * 1e6 / baud)
    if cycles < 4 or abs(clock_mhz * 1e6 / baud / cycles - 1) > 0.02:
        raise ConfigError(
            f"baud {baud} does not divide {clock_mhz:g} MHz: a bit of {clock_mhz * 1e6 / baud:.2f} "
            "cycles must be within 2 % of a whole number of at least 4. Choose another baud rate."
        )
    return cycles


def usual_clock(board: Board, wanted_mhz: float) -> float:
    """The clock where none is asked for: a design's own, or the oscillator's where the board cannot
    make that."""
    try:
        return pll(board, wanted_mhz).clock_mhz
    except ConfigError:
        return board.clock_mhz


def pll(board: Board, clock_mhz: float) -> Pll:
    """Dividers for a clock, the PLL's oscillator as near as can be to what the family aims at.

    Raises: ConfigError when no dividers give it; names the nearest that they give.
    """
    if not 0 < clock_mhz < inf:
        raise ConfigError(
            f"board {board.name}: a clock must be positive and finite, got {clock_mhz}"
        )
    if clock_mhz == board.clock_mhz:
        return Pll(clock_mhz=clock_mhz, in_div=1, feedback_div=1, out_div=0)
    can = load_target(board.target).pll
    if can is None:
        raise ConfigError(
            f"board {board.name}: the PLLs of {board.target} are not used, so that the clock is "
            f"{board.clock_mhz:g} MHz, not {clock_mhz:g}. Take --clock-mhz {board.clock_mhz:g}"
        )
    best: tuple[float, float, Pll] | None = None
    for in_div in range(1, can.in_div + 1):
        reference = board.clock_mhz / in_div
        if not can.reference_mhz[0] <= reference <= can.reference_mhz[1]:
            continue
        for feedback in range(1, can.feedback_div + 1):
            for out_div in can.out_divs:
                real = reference * feedback / (1 if can.inside else out_div)
                oscillator = real * out_div
                if not can.oscillator_mhz[0] <= oscillator <= can.oscillator_mhz[1]:
                    continue
                found = Pll(clock_mhz=real, in_div=in_div, feedback_div=feedback, out_div=out_div)
                rank = (abs(real - clock_mhz), abs(oscillator - can.aim_mhz))
                if best is None or rank < best[:2]:
                    best = (*rank, found)
    if best is None or best[0] > 1e-9 * clock_mhz:
        near = f"; nearest is {best[2].clock_mhz:.4f}" if best else ""
        raise ConfigError(
            f"board {board.name}: no PLL dividers give {clock_mhz:g} MHz from "
            f"{board.clock_mhz:g}{near}"
        )
    return best[2]
