"""cocotb bench of bf_uart_bridge: the literal bytes that the host software is held against too."""

import cocotb
from bench_bf_uart_bridge import ask, prepare

from bitfold.host.protocol import encode
from serial_vectors import VECTORS


@cocotb.test()
async def answers_the_vectors(dut):
    _, _, line, back = await prepare(dut)
    for name, (request, expected) in VECTORS.items():
        answer = await ask(dut, line, back, bytes.fromhex(request))
        assert encode(answer.command, answer.payload).hex() == expected, name
