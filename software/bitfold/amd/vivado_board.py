"""Boards that Vivado builds for: hardware/boards/NAME/board.toml with `flow = "vivado"`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ConfigError
from bitfold.synth.boards import board_flow, board_folder

FLOW = "vivado"
_CLOCKS_MHZ = (1.0, 300.0)  # what the processor's clock for the fabric is asked for


@final
@dataclass(frozen=True, kw_only=True)
class VivadoBoard:
    """One board with a Zynq.

    target, part: as `bitfold synth` calls family and device. device: as Vivado does.
    board_part:   Vivado's name of its board files; may end in `*`.
    board_files:  whether the processor's settings come from those files; else from `processor`.
    system:       "ps7" (Zynq-7000) or "ps8" (UltraScale+).
    memory_mb:    DDR memory that the processor's low window shows.
    processor:    properties of the processor's cell, without "CONFIG.".
    """

    name: str
    title: str
    flow: str
    target: str
    part: str
    device: str
    board_part: str
    board_files: bool
    system: str
    memory_mb: int
    clock_mhz: float
    processor: Mapping[str, str]


def load_vivado_board(name: str, hardware: Path | None = None) -> VivadoBoard:
    """Read a board. Raises: ConfigError for an unknown one, or one of another flow."""
    flow = board_flow(name, hardware)
    if flow != FLOW:
        raise ConfigError(f"board {name!r} is not built by Vivado but by the {flow} tools")
    table = tomllib.loads((board_folder(name, hardware) / "board.toml").read_text())
    return VivadoBoard(name=name, **table)


def check_clock(board: VivadoBoard, clock_mhz: float) -> float:
    """The clock, if the processor may be asked for it. Raises: ConfigError."""
    low, high = _CLOCKS_MHZ
    if not low <= clock_mhz <= high:
        raise ConfigError(
            f"board {board.name}: clock {clock_mhz:g} MHz is outside {low:g} to {high:g}"
        )
    return clock_mhz
