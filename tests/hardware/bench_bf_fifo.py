"""cocotb bench of bf_fifo."""

import random

import cocotb
from streams import collect, drive, parameters, reset, start


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def keeps_order_under_random_stalls(dut):
    p = parameters()
    rng = random.Random(7)
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4)):
        words = [rng.getrandbits(p["Width"]) for _ in range(100)]
        cocotb.start_soon(drive(dut, "in", words, stall_in, seed=1))
        assert await collect(dut, "out", len(words), stall_out, seed=2) == words


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def reset_empties_it(dut):
    p = parameters()
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)
    words = [i % (1 << p["Width"]) for i in range(p["Depth"])]
    await drive(dut, "in", words)
    assert dut.in_ready_o.value == 0, "full after Depth words"
    await reset(dut)
    assert dut.out_valid_o.value == 0
    assert dut.in_ready_o.value == 1
