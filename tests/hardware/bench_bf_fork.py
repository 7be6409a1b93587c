"""cocotb bench of bf_fork: every branch gets every beat, each in the cycle that the header says."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import parameters, reset, start

P = parameters()
WIDTH, BEATS, BRANCHES = P["Width"], P["Beats"], P["Branches"]
VECTORS = [P["Vectors"] >> 32 * k & 0xFFFFFFFF for k in range(BRANCHES)]


async def play(dut, count: int, offer: float, takes: list[float], seed: int) -> None:
    """Move `count` vectors; a branch takes with its chance a cycle; check data and times."""
    rng = random.Random(seed)
    words = [rng.getrandbits(WIDTH) for _ in range(count * BEATS)]
    accepted: list[int] = []
    taken: list[list[int]] = [[] for _ in range(BRANCHES)]
    offering, cycle = False, 0
    while any(len(t) < len(words) for t in taken):
        sent = len(accepted)
        offering = sent < len(words) and (offering or rng.random() < offer)
        dut.in_valid_i.value = int(offering)
        dut.in_data_i.value = words[sent] if offering else rng.getrandbits(WIDTH)
        taking = [rng.random() < chance for chance in takes]
        dut.out_ready_i.value = sum(t << k for k, t in enumerate(taking))
        await Timer(1, unit="ns")
        vector, beat = divmod(sent, BEATS)
        # Within a vector always ready; before one, when each branch has let its oldest one go.
        gone = [
            vector < v or len(t) >= (vector - v + 1) * BEATS
            for v, t in zip(VECTORS, taken, strict=False)
        ]
        assert dut.in_ready_o.value == (beat > 0 or all(gone)), (cycle, sent)
        valid, data = int(dut.out_valid_o.value), dut.out_data_o.value
        for k in range(BRANCHES):
            there = len(taken[k]) < sent
            assert valid >> k & 1 == there, (cycle, k)
            if there:
                word = data[(k + 1) * WIDTH - 1 : k * WIDTH]  # others may be unknown
                assert int(word) == words[len(taken[k])], (cycle, k)
                if taking[k]:
                    taken[k].append(cycle)
        if offering and dut.in_ready_o.value:
            accepted.append(cycle)
            offering = False
        await FallingEdge(dut.clk_i)
        cycle += 1
        assert cycle < 100_000
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    if offer == 1.0 and min(takes) == 1.0:
        assert accepted == list(range(len(words))), "bubbles at full rate"


@cocotb.test()
async def every_branch_gets_every_beat(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    slow = [0.2] + [1.0] * (BRANCHES - 1)
    runs = ((1.0, [1.0] * BRANCHES), (0.4, [1.0] * BRANCHES), (1.0, slow), (1.0, slow[::-1]))
    for seed, (offer, takes) in enumerate((*runs, (0.7, [0.6] * BRANCHES))):
        await play(dut, 12, offer, takes, seed)


@cocotb.test()
async def reset_in_mid_vector_leaves_no_trace(dut):
    dut.in_valid_i.value = 1
    dut.in_data_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    for cycles in (1, BEATS, BEATS + 2):
        dut.in_valid_i.value = 1
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        dut.in_valid_i.value = 0
        await reset(dut)
        await play(dut, 4, 1.0, [1.0] * BRANCHES, seed=cycles)
