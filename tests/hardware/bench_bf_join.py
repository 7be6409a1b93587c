"""cocotb bench of bf_join: a vector of each branch in turn, each beat in its cycle."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import parameters, reset, start

P = parameters()
WIDTH, BRANCHES = P["Width"], P["Branches"]
BEATS = [P["Beats"] >> 32 * k & 0xFFFFFFFF for k in range(BRANCHES)]
TOTAL = sum(BEATS)
HELD = 2


def branch_of(beat: int) -> int:
    """Whose turn it is at that beat of an output vector."""
    return next(k for k in range(BRANCHES) if beat < sum(BEATS[: k + 1]))


async def play(dut, count: int, offers: list[float], take: float, seed: int) -> None:
    """Move `count` vectors; a branch offers with its chance a cycle; check data and times."""
    rng = random.Random(seed)
    inputs = [[rng.getrandbits(WIDTH) for _ in range(count * n)] for n in BEATS]
    wanted: list[int] = []
    for v in range(count):
        for words, n in zip(inputs, BEATS, strict=False):
            wanted += words[v * n : (v + 1) * n]
    sent = [0] * BRANCHES
    offering = [False] * BRANCHES
    accepted = taken = cycle = 0
    while taken < len(wanted):
        for k in range(BRANCHES):
            more = sent[k] < len(inputs[k])
            offering[k] = more and (offering[k] or rng.random() < offers[k])
        dut.in_valid_i.value = sum(o << k for k, o in enumerate(offering))
        dut.in_data_i.value = sum(
            inputs[k][sent[k]] << k * WIDTH for k in range(BRANCHES) if offering[k]
        )
        taking = rng.random() < take
        dut.out_ready_i.value = int(taking)
        await Timer(1, unit="ns")
        vector, beat = divmod(accepted, TOTAL)
        room = beat > 0 or vector < HELD or taken >= (vector - HELD + 1) * TOTAL
        turn = branch_of(beat)
        assert int(dut.in_ready_o.value) == int(room) << turn, (cycle, accepted)
        assert int(dut.out_valid_o.value) == (taken < accepted), cycle
        moved = room and offering[turn]
        if taken < accepted:
            assert int(dut.out_data_o.value) == wanted[taken], (cycle, taken)
            taken += taking
        if moved:
            sent[turn] += 1
            accepted += 1
            offering[turn] = False
        await FallingEdge(dut.clk_i)
        cycle += 1
        assert cycle < 100_000
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    if min(*offers, take) == 1.0:
        assert cycle == len(wanted) + 1, "bubbles at full rate"


@cocotb.test()
async def vectors_in_turn(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    runs = (
        ([1.0] * BRANCHES, 1.0),
        ([0.3] + [1.0] * (BRANCHES - 1), 1.0),
        ([1.0] * (BRANCHES - 1) + [0.3], 1.0),
        ([1.0] * BRANCHES, 0.3),
        ([0.6] * BRANCHES, 0.7),
    )
    for seed, (offers, take) in enumerate(runs):
        await play(dut, 12, offers, take, seed)


@cocotb.test()
async def reset_in_mid_vector_leaves_no_trace(dut):
    dut.in_valid_i.value = 0
    dut.in_data_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    for cycles in (1, BEATS[0], TOTAL + 1):
        dut.in_valid_i.value = (1 << BRANCHES) - 1
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        dut.in_valid_i.value = 0
        await reset(dut)
        await play(dut, 4, [1.0] * BRANCHES, 1.0, seed=cycles)
