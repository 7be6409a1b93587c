"""cocotb bench of bf_planes: the planes of accumulators, each in its cycle."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import parameters, reset, start

P = parameters()
PE, TPE, WIDTH = P["Pe"], P["Tpe"], P["AccWidth"]
CYCLES = WIDTH * PE // TPE


def planes(values: list[int]) -> list[int]:
    """Beats of a fold."""
    return [
        sum((values[base + lane] >> bit & 1) << lane for lane in range(TPE))
        for base in range(0, PE, TPE)
        for bit in reversed(range(WIDTH))
    ]


async def play(dut, gaps: list[int], seed: int) -> None:
    """A fold after each gap of so many cycles; beats follow two cycles behind."""
    rng = random.Random(seed)
    due: dict[int, int] = {}
    at, pulses = 0, {}
    for gap in gaps:
        at += gap
        values = [rng.getrandbits(WIDTH) for _ in range(PE)]
        pulses[at] = sum(v << i * WIDTH for i, v in enumerate(values))
        due |= {at + 2 + k: beat for k, beat in enumerate(planes(values))}
    for cycle in range(max(due) + 3):
        dut.acc_valid_i.value = int(cycle in pulses)
        dut.acc_data_i.value = pulses.get(cycle, rng.getrandbits(PE * WIDTH))
        await Timer(1, unit="ns")
        assert dut.out_valid_o.value == (cycle in due), cycle
        if cycle in due:
            assert dut.out_data_o.value == due[cycle], cycle
        await FallingEdge(dut.clk_i)
    dut.acc_valid_i.value = 0


@cocotb.test()
async def planes_in_their_cycles(dut):
    dut.acc_valid_i.value = 0
    await start(dut)
    await play(dut, [CYCLES] * 6, seed=1)
    await play(dut, [CYCLES, CYCLES + 1, CYCLES + 3, CYCLES, CYCLES + 7], seed=2)


@cocotb.test()
async def reset_in_mid_fold_leaves_no_trace(dut):
    dut.acc_valid_i.value = 1
    dut.acc_data_i.value = 0
    await start(dut)
    dut.acc_valid_i.value = 0
    await FallingEdge(dut.clk_i)
    await reset(dut)
    await play(dut, [3, CYCLES], seed=3)
