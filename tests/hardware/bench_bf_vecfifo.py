"""cocotb bench of bf_vecfifo: vectors reserved, written late, read back; credit counted exactly."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import collect, parameters, reset, start


def quiet(dut) -> None:
    dut.reserve_i.value = 0
    dut.in_valid_i.value = 0
    dut.in_data_i.value = 0
    dut.out_ready_i.value = 0


async def produce(dut, p: dict, words: list[int], stall: float, seed: int) -> None:
    """Reserve a vector whenever there is room; write its words later, at random."""
    rng = random.Random(seed)
    vectors = len(words) // p["Beats"]
    reserved = written = 0
    while written < len(words):
        await Timer(1, unit="ns")
        reserve = reserved < vectors and bool(dut.room_o.value) and rng.random() >= stall
        write = written < reserved * p["Beats"] and rng.random() >= stall
        dut.reserve_i.value = int(reserve)
        dut.in_valid_i.value = int(write)
        dut.in_data_i.value = words[written]
        written += write
        reserved += reserve
        await FallingEdge(dut.clk_i)
        quiet_write(dut)


def quiet_write(dut) -> None:
    dut.reserve_i.value = 0
    dut.in_valid_i.value = 0


@cocotb.test()
async def keeps_order_under_random_stalls(dut):
    p = parameters()
    rng = random.Random(5)
    quiet(dut)
    await start(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.7), (0.3, 0.3)):
        words = [rng.getrandbits(p["Width"]) for _ in range(20 * p["Beats"])]
        cocotb.start_soon(produce(dut, p, words, stall_in, seed=2))
        assert await collect(dut, "out", len(words), stall_out, seed=3) == words
        await FallingEdge(dut.clk_i)


@cocotb.test()
async def room_returns_with_a_vectors_last_word(dut):
    p = parameters()
    quiet(dut)
    await start(dut)
    for _ in range(p["Vectors"]):
        assert dut.room_o.value == 1
        dut.reserve_i.value = 1
        await FallingEdge(dut.clk_i)
    dut.reserve_i.value = 0
    assert dut.room_o.value == 0
    for i in range(p["Beats"] * p["Vectors"]):
        dut.in_valid_i.value = 1
        dut.in_data_i.value = i % (1 << p["Width"])
        await FallingEdge(dut.clk_i)
        assert dut.out_valid_o.value == 1, "offered in the cycle after the write"
    dut.in_valid_i.value = 0
    for taken in range(1, p["Beats"] + 1):
        assert dut.room_o.value == 0, taken
        dut.out_ready_i.value = 1
        await FallingEdge(dut.clk_i)
    dut.out_ready_i.value = 0
    assert dut.room_o.value == 1
    await reset(dut)
    assert dut.out_valid_o.value == 0, "reset empties it"
    assert dut.room_o.value == 1
