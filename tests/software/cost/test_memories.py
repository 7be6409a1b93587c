import pytest

from bitfold.cost import read_target
from bitfold.cost.memories import Memory, block_rams, place


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
