"""cocotb bench of bf_uart_rx."""

import random

import cocotb
from cocotb.triggers import ClockCycles, Timer
from streams import PERIOD_NS, parameters, start
from uart import pulses, send_raw, source


async def prepare(dut):
    dut.rx_i.value = 1
    await start(dut)
    return pulses(dut, "byte_valid_o", "byte_data_o", "byte_error_o")


@cocotb.test()
async def takes_bytes_back_to_back(dut):
    bits = parameters()["BitCycles"]
    got = await prepare(dut)
    most = 0.04 if bits >= 25 else 0.02
    for off in (0.0, most, -most):
        line = source(dut.rx_i, bits, off)
        data = [0, 255, *random.Random(2).randbytes(100)]
        await line.write(data)
        await line.wait()
        await ClockCycles(dut.clk_i, 4)
        assert [got.get_nowait() for _ in range(got.qsize())] == [(b, 0) for b in data]
        line._run_cr.cancel()


@cocotb.test()
async def marks_a_missing_stop_bit_and_recovers(dut):
    bits = parameters()["BitCycles"]
    got = await prepare(dut)
    for byte, stop in ((0x5A, 0), (0xA5, 1), (0x00, 0), (0x01, 1)):
        await send_raw(dut.rx_i, byte, bits, stop)
        await Timer(20 * bits * PERIOD_NS, unit="ns")
        assert got.get_nowait() == (byte, 1 - stop)
        assert got.empty()


@cocotb.test()
async def a_glitch_is_no_start_bit(dut):
    bits = parameters()["BitCycles"]
    got = await prepare(dut)
    dut.rx_i.value = 0
    await Timer((bits // 2 - 1) * PERIOD_NS, unit="ns")
    dut.rx_i.value = 1
    await Timer(20 * bits * PERIOD_NS, unit="ns")
    assert got.empty()
    await send_raw(dut.rx_i, 0x42, bits)
    assert got.get_nowait() == (0x42, 0)


@cocotb.test()
async def a_low_line_is_one_bad_byte(dut):
    bits = parameters()["BitCycles"]
    got = await prepare(dut)
    dut.rx_i.value = 0
    await Timer(100 * bits * PERIOD_NS, unit="ns")
    dut.rx_i.value = 1
    await Timer(20 * bits * PERIOD_NS, unit="ns")
    assert got.get_nowait() == (0, 1)
    assert got.empty()
