"""cocotb bench of bf_frame_tx."""

import random

import cocotb
from cocotb.triggers import FallingEdge
from streams import collect, drive, start

from bitfold.host.protocol import encode


@cocotb.test()
async def equals_protocol_under_random_stalls(dut):
    rng = random.Random(6)
    dut.start_i.value = 0
    dut.payload_valid_i.value = 0
    dut.byte_ready_i.value = 0
    await start(dut)
    for length in (0, 1, 2, 30, 256, 260):
        for stall_in, stall_out in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4)):
            payload = rng.randbytes(length)
            command = rng.randrange(256)
            dut.command_i.value = command
            dut.length_i.value = length
            dut.start_i.value = 1
            await FallingEdge(dut.clk_i)
            dut.start_i.value = 0
            feeding = cocotb.start_soon(drive(dut, "payload", payload, stall_in, seed=length))
            frame = encode(command, payload)
            assert bytes(await collect(dut, "byte", len(frame), stall_out, seed=length)) == frame
            await feeding
            assert dut.busy_o.value == 0
