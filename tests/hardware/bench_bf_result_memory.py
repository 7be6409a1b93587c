"""cocotb bench of bf_result_memory."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer
from streams import PERIOD_NS, collect, parameters


async def offer(dut, words, last, stall, rng):
    """Offer integers, tlast at index `last`; the indices at which mismatch_o was raised."""
    wrong = []
    for index, word in enumerate(words):
        while rng.random() < stall:
            dut.s_axis_tvalid_i.value = 0
            await FallingEdge(dut.clk_i)
        dut.s_axis_tvalid_i.value = 1
        dut.s_axis_tdata_i.value = word
        dut.s_axis_tlast_i.value = int(index == last)
        await Timer(1, unit="ns")
        assert dut.s_axis_tready_o.value == 1
        assert dut.moved_o.value == 1
        if dut.mismatch_o.value == 1:
            wrong.append(index)
        await FallingEdge(dut.clk_i)
    dut.s_axis_tvalid_i.value = 0
    return wrong


async def prepare(dut):
    for name in ("take_i", "send_i", "s_axis_tvalid_i", "byte_ready_i"):
        getattr(dut, name).value = 0
    cocotb.start_soon(Clock(dut.clk_i, PERIOD_NS, unit="ns").start())
    for _ in range(3):
        await FallingEdge(dut.clk_i)


@cocotb.test()
async def gives_the_integers_as_bytes(dut):
    count = parameters()["Outputs"]
    rng = random.Random(9)
    await prepare(dut)
    for stall in (0.0, 0.5):
        words = [rng.getrandbits(32) for _ in range(count)]
        dut.take_i.value = 1
        assert await offer(dut, words, count - 1, stall, rng) == []
        assert dut.taken_o.value == 1
        assert dut.s_axis_tready_o.value == 0, "nothing is taken after the last"
        dut.take_i.value = 0
        dut.send_i.value = 1
        found = bytes(await collect(dut, "byte", 4 * count, stall, seed=1))
        assert found == b"".join(w.to_bytes(4, "little") for w in words)
        dut.send_i.value = 0
        await FallingEdge(dut.clk_i)


@cocotb.test()
async def sees_a_wrong_number(dut):
    count = parameters()["Outputs"]
    rng = random.Random(10)
    await prepare(dut)
    for number, last in ((count, count), (count - 1, count - 2)):
        if number == 0:
            continue
        dut.take_i.value = 1
        assert await offer(dut, [1] * number, last, 0.3, rng) == [number - 1]
        dut.take_i.value = 0
        await FallingEdge(dut.clk_i)
