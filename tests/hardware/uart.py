"""Serial line and frames for the benches: cocotbext-uart at the bit time of the design."""

from typing import Any

import cocotb
from cocotb.queue import Queue
from cocotb.triggers import Timer, with_timeout
from cocotbext.uart import UartSink, UartSource
from streams import PERIOD_NS

from bitfold.host.protocol import Frame, decode, missing


def baud(bit_cycles: int, off: float = 0.0) -> float:
    """Rate of a line whose bit lasts `bit_cycles`; `off` is the relative error of the rate.

    A hundredth of a nanosecond is added because cocotbext-uart rounds the bit time down.
    """
    return 1e9 / (bit_cycles * PERIOD_NS / (1 + off) + 0.01)


def source(signal: Any, bit_cycles: int, off: float = 0.0) -> Any:
    return UartSource(signal, baud=baud(bit_cycles, off), bits=8)


def sink(signal: Any, bit_cycles: int) -> Any:
    return UartSink(signal, baud=baud(bit_cycles), bits=8)


async def read_frame(line: Any, cycles: int = 100_000) -> Frame:
    """Read one whole frame from a sink, or fail after so many cycles."""
    buffer = b""
    while want := missing(buffer):
        if line.empty():
            await with_timeout(line.wait(), cycles * PERIOD_NS, "ns")
        buffer += bytes(line.read_nowait(min(want, line.count())))
    return decode(buffer)


async def send_raw(signal: Any, byte: int, bit_cycles: int, stop: int = 1) -> None:
    """One byte by hand, with a stop bit of choice; the line is idle afterwards."""
    for bit in (0, *((byte >> i) & 1 for i in range(8)), stop):
        signal.value = bit
        await Timer(bit_cycles * PERIOD_NS, unit="ns")
    signal.value = 1
    await Timer(bit_cycles * PERIOD_NS, unit="ns")


def pulses(dut: Any, valid: str, *names: str) -> "Queue[tuple[int, ...]]":
    """A queue that gets the values of `names` at each cycle in which `valid` is high."""
    found: Queue[tuple[int, ...]] = Queue()

    async def watch() -> None:
        while True:
            await Timer(1, unit="ns")
            if getattr(dut, valid).value == 1:
                found.put_nowait(tuple(int(getattr(dut, name).value) for name in names))
            await Timer(PERIOD_NS - 1, unit="ns")

    cocotb.start_soon(watch())
    return found
