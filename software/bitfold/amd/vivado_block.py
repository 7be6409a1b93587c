"""A block design as data: cells with what they have to connect, and the connections.

`vivado_check` looks whether it is complete, `vivado_tcl` renders it. Pins and buses are named
"cell/pin".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final


@final
@dataclass(frozen=True, kw_only=True)
class Pin:
    """A pin outside any bus. width: bits.

    low:    of a reset: active low. needed: an input that must be driven, an output to be used.
    """

    name: str
    output: bool = False
    width: int = 1
    kind: Literal["clock", "reset", "interrupt", "data"] = "data"
    low: bool = False
    needed: bool = True


@final
@dataclass(frozen=True, kw_only=True)
class Bus:
    """A bus of a cell.

    kind:    "memory" AXI4, AXI3 or AXI4-Lite; "stream" AXI4-Stream; "board" to fixed pins.
    bytes:   of data in a beat; 0 where SmartConnect takes whatever comes, and of "board".
    clock:   the cell's pin that it runs with.
    space:   of a memory master that begins transfers: its address space, and the addresses
             [first, first + size) that it reaches. segment: of a memory slave that ends them.
    last:    of a stream: has TLAST. needed: must be connected.
    port:    of "board": VLNV of the outer port.
    """

    name: str
    kind: Literal["memory", "stream", "board"]
    master: bool
    bytes: int = 0
    clock: str = ""
    space: str = ""
    reach: tuple[int, int] = (0, 0)
    segment: str = ""
    last: bool = True
    needed: bool = True
    port: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """An IP in the design. vlnv has no version: Vivado takes its newest.

    otherwise:  another VLNV, of an inline HDL cell with the same pins, for a Vivado that no longer
                has `vlnv`. bridge: passes memory transfers from its slaves to its masters.
    automation: board automation to apply before `properties`.
    """

    name: str
    vlnv: str
    buses: tuple[Bus, ...] = ()
    pins: tuple[Pin, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    bridge: bool = False
    automation: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Segment:
    """Addresses [offset, offset + size) of "cell/space" are the segment "cell/segment"."""

    space: str
    segment: str
    offset: int
    size: int


@final
@dataclass(frozen=True, kw_only=True)
class BlockDesign:
    """links: pairs of buses, master first. nets: pins, the driver first. outer: buses to pins.

    excluded: (space, segment), what a space reaches and must not use; where Vivado shows it.
    """

    name: str
    cells: tuple[Cell, ...]
    links: tuple[tuple[str, str], ...]
    nets: tuple[tuple[str, ...], ...]
    outer: tuple[str, ...]
    segments: tuple[Segment, ...]
    excluded: tuple[tuple[str, str], ...] = ()

    def buses(self) -> dict[str, Bus]:
        """All buses, by "cell/bus"."""
        return {f"{cell.name}/{bus.name}": bus for cell in self.cells for bus in cell.buses}

    def pins(self) -> dict[str, Pin]:
        """All pins, by "cell/pin"."""
        return {f"{cell.name}/{pin.name}": pin for cell in self.cells for pin in cell.pins}
