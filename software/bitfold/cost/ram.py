"""What synthesis makes of a memory: block RAM, LUT RAM or logic.

The choice is that of Yosys' pass memory_libmap: for every kind of RAM cell of the target and every
width that it can take, a cost is computed from the cells, the multiplexers behind them and the
decoders in front; the cheapest wins, or plain logic does. A target's table lists its cells with the
numbers of Yosys' own library.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, expm1, log2
from typing import final

_PORT_COST = 2.0  # of a read port that is not the write port
_BYPASS_COST = 6.0  # of giving a word in the cycle after it was written
_MUX_COST = 0.5  # of a multiplexer or decoder, a bit
_FEATURES = (
    *("ram_lut", "ram_mux", "ram_enable", "ram_ff"),
    *("rom_lut", "rom_deep", "search_lut", "search_deep", "read_bit", "bypass_bit"),
    "bypass_address_bit",
)


@final
@dataclass(frozen=True, kw_only=True)
class RamCell:
    """A kind of RAM cell, as memory_libmap's library describes it.

    abits:  address bits at the least width; each next width halves the words.
    cost:   of a cell; the part `scaled` of it is paid by the share of the width that is used.
    byte:   bits that share a write enable; 0: all.
    rom:    constant memories may be put here.
    sync:   reading takes a clock edge, and with it the register behind or before the memory.
    single: has one port, for a memory that is read where it is written.
    luts, blocks: what a cell takes of the FPGA, in LUTs and in the data sheet's block RAMs.
    """

    name: str
    abits: int
    widths: tuple[int, ...]
    cost: int
    scaled: int = 0
    byte: int = 0
    rom: bool = False
    sync: bool = False
    single: bool = False
    luts: int = 0
    blocks: float = 0.0


@final
@dataclass(frozen=True, kw_only=True)
class Memory:
    """`count` memories of depth x width bits.

    sync:    read into a register; else with an address from a register, which Yosys draws in.
    enables: groups of bits that are written apart from each other; divides the width.
    single:  read at the address at which it is written.
    copies:  columns, of the width, that are equal to another.
    searched: each word leads to the next: synthesis pays with LUTs for its speed.
    """

    depth: int
    width: int
    writable: bool
    count: int = 1
    copies: int = 0
    searched: bool = False
    sync: bool = True
    enables: int = 1
    single: bool = False

    @property
    def bits(self) -> int:
        """Of one."""
        return self.depth * self.width


@final
@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a memory goes: `cells` of a kind in `rows` of its depth, or none: logic."""

    cell: RamCell | None
    cells: int = 0
    rows: int = 1


@lru_cache(maxsize=1 << 16)
def place(memory: Memory, cells: tuple[RamCell, ...], rom_cost: float) -> Placed:
    """The cheapest place. rom_cost: of a bit of a constant memory in logic; of a written one 1."""
    best = Placed(cell=None)
    least = int(memory.bits * (1.0 if memory.writable else rom_cost))
    for cell in cells:
        if not _fits(memory, cell):
            continue
        for cost, placed in _shapes(memory, cell):
            if cost < least:
                best, least = placed, int(cost)
    return best


def _fits(memory: Memory, cell: RamCell) -> bool:
    return (memory.writable or cell.rom) and (memory.single or not cell.single)


def _shapes(memory: Memory, cell: RamCell) -> Iterator[tuple[float, Placed]]:
    """Cost and outcome for each width that the cell can take."""
    for index, width in enumerate(cell.widths):
        rows = ceil(memory.depth / (1 << (cell.abits - index)))
        byte = min(cell.byte or width, width) if memory.writable else 1
        padded = memory.enables * byte * ceil(memory.width / memory.enables / byte)
        number = ceil(rows * padded / width)
        cost = (cell.cost - cell.scaled) * number + cell.scaled * rows * memory.width / width
        cost += _MUX_COST * (rows - 1) * memory.width
        cost += 0.0 if memory.single and cell.single else _PORT_COST
        if memory.writable and rows > 1:
            cost += _MUX_COST * rows * memory.enables
        if memory.writable and not memory.sync:
            cost += _BYPASS_COST
        yield cost, Placed(cell=cell, cells=number, rows=rows)


def memory_features(
    kept: tuple[Memory, ...], cells: tuple[RamCell, ...], rom_cost: float, rom_depth: int
) -> Mapping[str, float]:
    """Feature name -> amount, of all memories together. rom_depth: words of a LUT as a ROM.

    ram_lut: LUTs of RAM cells; ram_mux, ram_enable: two-to-one multiplexers and write enables,
    where there are several rows or enables; ram_ff: bits of written memories in flip-flops;
    rom_lut, rom_deep: LUTs of the columns of constant ones, and of them those beyond the first:
    2, 4, 8 ... behind multiplexers, which most families have beside their LUTs;
    search_lut, search_deep: the same where words are searched;
    read_bit: registers behind what is not block RAM;
    bypass_bit, bypass_address_bit: around block RAM read at once, which compares addresses.
    """
    found = dict.fromkeys(_FEATURES, 0.0)
    for memory in kept:
        placed = place(memory, cells, rom_cost)
        width = memory.count * float(memory.width)
        if placed.cell is not None:
            found["ram_lut"] += memory.count * placed.cells * placed.cell.luts
            found["ram_mux"] += width * (placed.rows - 1)
            if memory.writable and placed.rows * memory.enables > 1:
                found["ram_enable"] += memory.count * placed.rows * memory.enables
        elif memory.writable:
            found["ram_ff"] += memory.count * memory.bits
        else:
            width = memory.count * _distinct(memory.depth, memory.width - memory.copies)
            tables = 1 << ceil(log2(max(memory.depth / rom_depth, 1)))
            found["search_lut" if memory.searched else "rom_lut"] += width * tables
            found["search_deep" if memory.searched else "rom_deep"] += width * (tables - 1)
        in_block = placed.cell is not None and placed.cell.sync
        if memory.sync and not in_block:
            found["read_bit"] += width
        if in_block and memory.writable and not memory.sync:
            found["bypass_bit"] += width
            found["bypass_address_bit"] += memory.count * ceil(log2(memory.depth))
    return found


def _distinct(depth: int, width: int) -> float:
    """How many of `width` random columns of `depth` bits differ: equal ones become one."""
    kinds = 2.0 ** min(depth, 64)
    return -kinds * expm1(-width / kinds)


def block_rams(kept: tuple[Memory, ...], cells: tuple[RamCell, ...], rom_cost: float) -> float:
    """Block RAMs of all memories together, in the unit of the data sheet."""
    total = 0.0
    for memory in kept:
        placed = place(memory, cells, rom_cost)
        if placed.cell is not None:
            total += memory.count * placed.cells * placed.cell.blocks
    return total
