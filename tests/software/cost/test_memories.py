from dataclasses import replace

import pytest

from bitfold.cost import read_target
from bitfold.cost.grid_units import units
from bitfold.cost.memories import memories
from bitfold.cost.ram import Memory, block_rams, memory_features, place
from bitfold.cost.units import Mvtu


def placed(memory: Memory, name: str) -> tuple[str, int]:
    """Kind of cell and how many."""
    target = read_target(name)
    found = place(memory, target.cells, target.rom_cost)
    return found.cell.name if found.cell else "logic", found.cells


@pytest.mark.parametrize(
    ("memory", "target", "cell", "count"),
    [
        # 1024 bits of a LUT each 64 on xc7 are cheaper than 29 half block RAMs; 512 words are not.
        (Memory(depth=64, width=1024, writable=False), "xc7", "logic", 0),
        (Memory(depth=512, width=1024, writable=False), "xc7", "RAMB18E1", 29),
        (Memory(depth=64, width=1024, writable=False), "ecp5", "DP16KD", 29),
        # One bit wide: a cell of four bits is spent on one, 64 of them cost more than a block.
        (Memory(depth=1024, width=1, writable=True), "ecp5", "DP16KD", 1),
        (Memory(depth=256, width=1, writable=True), "ecp5", "DPR16X4", 16),
        # Eight bits written apart from each other lie in a byte each.
        (Memory(depth=128, width=8, writable=True), "ecp5", "DPR16X4", 16),
        (Memory(depth=128, width=8, writable=True, enables=8), "ecp5", "DP16KD", 2),
        # Read at once: the address register goes into the block; what is small stays flip-flops.
        (Memory(depth=1024, width=1, writable=True, sync=False), "ecp5", "DP16KD", 1),
        (Memory(depth=256, width=1, writable=True, sync=False), "ecp5", "DPR16X4", 16),
        (Memory(depth=8, width=12, writable=True, sync=False), "ice40", "RAM40_4K_wide", 1),
        (Memory(depth=4, width=16, writable=True, sync=False), "ice40", "logic", 0),
        (Memory(depth=64, width=8, writable=True), "ice40", "RAM40_4K", 1),
        # Read where it is written: one port is enough.
        (Memory(depth=32, width=8, writable=True, sync=False, single=True), "xc7", "RAM32S", 1),
        (Memory(depth=32, width=8, writable=True, sync=False), "xc7", "RAM32M", 2),
    ],
)
def test_memories_go_where_yosys_puts_them(memory, target, cell, count):
    assert placed(memory, target) == (cell, count)


def test_block_rams_count_in_the_unit_of_the_data_sheet():
    target = read_target("xc7")
    weights = Memory(depth=512, width=1024, writable=False)
    assert block_rams((weights, weights), target.cells, target.rom_cost) == 29.0


@pytest.mark.parametrize(
    ("span", "width", "copies"),
    [
        (None, 15, 0),
        ((0, 0), 1, 0),
        # Six bits and no sign: columns of zeros are no memory.
        ((1, 60), 6, 0),
        # Eight bits and the sign; all columns above are copies of it.
        ((-30, 200), 15, 6),
        ((-256, 255), 15, 6),
        ((-257, 255), 15, 5),
    ],
)
def test_thresholds_of_a_small_range_need_few_columns(span, width, copies):
    unit = next(part for part in units() if isinstance(part, Mvtu) and part.out_bits == 3)
    assert unit.acc_width == 14
    table = memories(replace(unit, threshold_range=span))[-1]
    assert (table.width, table.copies) == (width, copies)


def test_deep_tables_take_as_many_luts_as_multiplexers_join():
    """Tables of 16 words on ecp5: 1, 2, 4 ...; of few words there are but few that differ."""
    target = read_target("ecp5")

    def luts(depth: int) -> float:
        table = Memory(depth=depth, width=24, writable=False)
        found = memory_features((table,), target.cells, target.rom_cost, target.rom_depth)
        return found["rom_lut"]

    assert [round(luts(depth)) for depth in (2, 16, 17, 32, 33, 48, 64)] == [
        4,
        24,
        48,
        48,
        96,
        96,
        96,
    ]
