"""cocotb bench of bf_vecbuf: vectors in, words read back in random order while others enter."""

import random

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, Timer
from streams import drive, idle, parameters, reset, start

from bitfold.sim.reference import to_plane_beats, vecbuf_words


class Shape:
    def __init__(self) -> None:
        p = parameters()
        self.group, self.simd, self.ap = p["GroupIn"], p["Simd"], p["Ap"]
        self.planes, self.inputs = p["Planes"], p["Inputs"]
        self.signed = bool(p.get("ActSigned", 0))
        self.lanes = max(self.group, self.simd)
        self.banks = self.lanes // self.simd
        self.words = self.inputs // self.lanes
        self.af = -(-self.planes // self.ap)
        self.sf = self.inputs // self.simd

    def vectors(self, count: int, seed: int) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.integers(0, 1 << self.planes, self.inputs) for _ in range(count)]

    def beats(self, codes: np.ndarray) -> list[int]:
        return to_plane_beats(codes, self.planes, self.group)

    def expected(self, codes: np.ndarray) -> list[list[int]]:
        return vecbuf_words(codes, self.planes, self.simd, self.ap, signed=self.signed)


def quiet(dut) -> None:
    dut.in_valid_i.value = 0
    dut.start_i.value = 0
    dut.release_i.value = 0
    dut.addr_i.value = 0
    dut.bank_i.value = 0


async def read_vector(dut, shape: Shape, slot: int, rng: random.Random, reads: int) -> list:
    """`reads` passes over all words in random order; returns [(ag, sf, word)]."""
    order = [(ag, sf) for ag in range(shape.af) for sf in range(shape.sf)]
    found = []
    for _ in range(reads):
        rng.shuffle(order)
        for ag, sf in order:
            dut.addr_i.value = (slot * shape.words + sf // shape.banks) * shape.af + ag
            dut.bank_i.value = sf % shape.banks
            await FallingEdge(dut.clk_i)
            dut.addr_i.value = 0
            await Timer(1, unit="ns")
            found.append((ag, sf, int(dut.act_o.value)))
    return found


async def take(dut) -> None:
    """Wait for a whole vector and start it."""
    while not dut.full_o.value:
        await FallingEdge(dut.clk_i)
        await Timer(1, unit="ns")
    dut.start_i.value = 1
    await FallingEdge(dut.clk_i)
    dut.start_i.value = 0


async def release(dut) -> None:
    dut.release_i.value = 1
    await FallingEdge(dut.clk_i)
    dut.release_i.value = 0


@cocotb.test()
async def words_equal_golden_under_random_stalls(dut):
    shape = Shape()
    rng = random.Random(3)
    quiet(dut)
    await start(dut)
    slot = 0
    for stall in (0.0, 0.5):
        vectors = shape.vectors(5, seed=11)
        beats = [b for v in vectors for b in shape.beats(v)]
        cocotb.start_soon(drive(dut, "in", beats, stall, seed=4))
        for codes in vectors:
            await take(dut)
            words = shape.expected(codes)
            for ag, sf, word in await read_vector(dut, shape, slot, rng, reads=2):
                assert word == words[ag][sf], (ag, sf, hex(word), hex(words[ag][sf]))
            await release(dut)
            slot ^= 1


@cocotb.test()
async def takes_two_vectors_and_a_third_from_the_cycle_after_a_release(dut):
    shape = Shape()
    quiet(dut)
    await start(dut)
    beats = [b for v in shape.vectors(3, seed=5) for b in shape.beats(v)]
    size = len(beats) // 3
    cocotb.start_soon(drive(dut, "in", beats))
    await FallingEdge(dut.clk_i)
    for cycle in range(1, 2 * size + 4):
        await Timer(1, unit="ns")
        # `cycle` beats have been taken; the last beat of the first vector is seen at once.
        assert dut.in_ready_o.value == (cycle < 2 * size), cycle
        assert dut.full_o.value == (cycle >= size - 1), cycle
        await FallingEdge(dut.clk_i)
    for _ in range(2):
        await take(dut)
    await Timer(1, unit="ns")
    assert dut.full_o.value == 0, "both vectors were started"
    assert dut.in_ready_o.value == 0
    await release(dut)
    await Timer(1, unit="ns")
    assert dut.in_ready_o.value == 1


@cocotb.test()
async def reset_in_mid_vector_forgets_it(dut):
    shape = Shape()
    rng = random.Random(6)
    quiet(dut)
    await start(dut)
    first, second, third = shape.vectors(3, seed=8)
    beats = shape.beats(first)
    await drive(dut, "in", [*beats, *beats[: len(beats) // 2 + 1]])
    await reset(dut)
    await Timer(1, unit="ns")
    assert dut.in_ready_o.value == 1
    assert dut.full_o.value == 0
    cocotb.start_soon(drive(dut, "in", shape.beats(second) + shape.beats(third)))
    for slot, codes in enumerate((second, third)):
        await take(dut)
        words = shape.expected(codes)
        for ag, sf, word in await read_vector(dut, shape, slot, rng, reads=1):
            assert word == words[ag][sf], (ag, sf)
        await release(dut)
    await idle(dut, 2)
