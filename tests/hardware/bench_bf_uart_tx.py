"""cocotb bench of bf_uart_tx."""

import random

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge
from streams import drive, parameters, reset, start
from uart import sink


@cocotb.test()
async def sends_bytes_with_and_without_pauses(dut):
    bits = parameters()["BitCycles"]
    dut.byte_valid_i.value = 0
    await start(dut)
    line = sink(dut.tx_o, bits)
    data = [0, 255, *random.Random(3).randbytes(60)]
    for stall in (0.0, 0.99):
        await drive(dut, "byte", data, stall, seed=4)
        await ClockCycles(dut.clk_i, 11 * bits)
        assert list(line.read_nowait()) == data


@cocotb.test()
async def one_byte_takes_ten_bits_and_a_cycle(dut):
    bits = parameters()["BitCycles"]
    dut.byte_valid_i.value = 0
    dut.byte_data_i.value = 0x33
    await start(dut)
    await FallingEdge(dut.clk_i)
    dut.byte_valid_i.value = 1
    ready_at = []
    for cycle in range(31 * bits):
        if dut.byte_ready_o.value == 1:
            ready_at.append(cycle)
        await FallingEdge(dut.clk_i)
    assert ready_at[1] - ready_at[0] == ready_at[2] - ready_at[1] == 10 * bits + 1


@cocotb.test()
async def reset_idles_the_line(dut):
    bits = parameters()["BitCycles"]
    dut.byte_valid_i.value = 0
    await start(dut)
    await drive(dut, "byte", [0])
    await ClockCycles(dut.clk_i, 3 * bits)
    assert dut.tx_o.value == 0
    await reset(dut)
    assert dut.tx_o.value == 1
    assert dut.byte_ready_o.value == 1
