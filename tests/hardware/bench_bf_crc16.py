"""cocotb bench of bf_crc16."""

import random

import cocotb
from cocotb.triggers import Timer

from bitfold.host.protocol import crc16


async def run(dut, data):
    crc = 0xFFFF
    for byte in data:
        dut.crc_i.value = crc
        dut.data_i.value = byte
        await Timer(1, unit="ns")
        crc = int(dut.crc_o.value)
    return crc


@cocotb.test()
async def equals_protocol(dut):
    rng = random.Random(1)
    assert await run(dut, b"123456789") == 0x29B1  # the check value of CRC-16/CCITT-FALSE
    for length in range(40):
        data = rng.randbytes(length)
        assert await run(dut, data) == crc16(data)
        assert await run(dut, data + crc16(data).to_bytes(2, "big")) == 0
