"""cocotb bench of bf_frame_memory."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer
from streams import PERIOD_NS, parameters


async def fill(dut, data, rng):
    for byte in data:
        dut.byte_valid_i.value = 1
        dut.byte_data_i.value = byte
        await FallingEdge(dut.clk_i)
        dut.byte_valid_i.value = 0
        for _ in range(rng.randrange(3)):
            await FallingEdge(dut.clk_i)


async def pulse(dut, signal):
    signal.value = 1
    await FallingEdge(dut.clk_i)
    signal.value = 0


async def play(dut, stall, rng):
    """Bytes and tlast flags of the beats until played_o."""
    taken, flags, refused = [], [], None
    dut.play_i.value = 1
    while True:
        take = rng.random() >= stall
        dut.m_axis_tready_i.value = int(take)
        await Timer(1, unit="ns")
        if dut.played_o.value == 1:
            break
        if dut.m_axis_tvalid_o.value == 1:
            beat = (int(dut.m_axis_tdata_o.value), int(dut.m_axis_tlast_o.value))
            assert refused in (None, beat)
            refused = None if take else beat
            if take:
                taken.append(beat[0])
                flags.append(beat[1])
        else:
            assert refused is None
        await FallingEdge(dut.clk_i)
    dut.play_i.value = 0
    await FallingEdge(dut.clk_i)
    return taken, flags


@cocotb.test()
async def plays_what_it_was_given(dut):
    p = parameters()
    rng = random.Random(8)
    for name in ("restart_i", "byte_valid_i", "play_i", "m_axis_tready_i"):
        getattr(dut, name).value = 0
    cocotb.start_soon(Clock(dut.clk_i, PERIOD_NS, unit="ns").start())
    await FallingEdge(dut.clk_i)
    size, width = p["FrameBytes"], p["BeatBytes"]
    for surplus, stall in ((0, 0.0), (0, 0.5), (7, 0.3), (2 * size, 0.0)):
        data = rng.randbytes(size + surplus)
        await pulse(dut, dut.restart_i)
        await fill(dut, data, rng)
        await pulse(dut, dut.restart_i)
        beats, flags = await play(dut, stall, rng)
        assert b"".join(b.to_bytes(width, "little") for b in beats) == data[:size]
        assert flags == [0] * (size // width - 1) + [1]
