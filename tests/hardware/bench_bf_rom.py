"""cocotb bench of bf_rom: every word of the image, one cycle after its address."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from mvtu_layer import image_path
from streams import PERIOD_NS, parameters


@cocotb.test()
async def reads_the_image(dut):
    words = [int(line, 16) for line in image_path(parameters(), "File").read_text().split()]
    rng = random.Random(1)
    dut.addr_i.value = 0
    cocotb.start_soon(Clock(dut.clk_i, PERIOD_NS, unit="ns").start())
    await FallingEdge(dut.clk_i)
    order = [*range(len(words)), *rng.choices(range(len(words)), k=100)]
    for address in order:
        dut.addr_i.value = address
        await FallingEdge(dut.clk_i)
        assert int(dut.data_o.value) == words[address], address
