"""cocotb bench of a board's top; runs inside the simulator, started by `sim.board.verify_board`.

It is the host: it writes bytes on the serial line with cocotbext-uart and reads the answers. The
vectors are in vectors.npz of the working folder; the answers go to outputs.npy.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import Timer, with_timeout
from cocotbext.uart import UartSink, UartSource

from bitfold.host import protocol
from bitfold.host.protocol import FAULT, PING, PONG, RESULT, RUN, RUN_MODE, Frame, encode

PERIOD_NS = 10


class Host:
    """A line to the board: bytes there, frames back."""

    def __init__(self, dut: Any) -> None:
        parameters = json.loads(os.environ["BITFOLD_PARAMETERS"])
        self.bit_ns = parameters["BitCycles"] * PERIOD_NS
        self.patience_ns = PERIOD_NS * int(os.environ["BITFOLD_CYCLE_LIMIT"]) + 1_000_000
        rate = 1e9 / (self.bit_ns + 0.01)  # cocotbext-uart rounds the bit's time down
        self.line = UartSource(dut.uart_rx_i, baud=rate, bits=8)
        self.back = UartSink(dut.uart_tx_o, baud=rate, bits=8)
        self.parameters = parameters
        self.dut = dut
        self.released = int(self.flag("ButtonLow"))

    def flag(self, name: str) -> bool:
        """A parameter of one bit."""
        return bool(self.parameters[name] == "1'b1")

    def fault_lamp(self) -> bool:
        """Whether it is lit; the third from the end."""
        place = self.parameters["Leds"] - 3
        return bool(int(self.dut.led_o.value) >> place & 1) != self.flag("LedsLow")

    async def ask(self, request: bytes) -> Frame:
        """Send bytes; the answer, after which the line must stay quiet for three bytes' time."""
        await self.line.write(request)
        buffer = b""
        while want := protocol.missing(buffer):
            if self.back.empty():
                await with_timeout(self.back.wait(), self.patience_ns, "ns")
            buffer += bytes(self.back.read_nowait(min(want, self.back.count())))
        await Timer(30 * self.bit_ns, unit="ns")
        assert self.back.empty(), "bytes after the answer"
        return protocol.decode(buffer)


async def start(dut: Any) -> Host:
    """Clock on, button released; the board resets itself."""
    host = Host(dut)
    dut.button_i.value = host.released
    dut.uart_rx_i.value = 1
    Clock(dut.clk_i, PERIOD_NS, unit="ns").start()
    await Timer(100 * PERIOD_NS, unit="ns")
    assert int(dut.high_o.value) == 1
    return host


def vectors() -> tuple[Sequence[bytes], np.ndarray[Any, np.dtype[np.int64]]]:
    """Frames as bytes, and their golden integers."""
    with np.load("vectors.npz") as file:
        return [row.tobytes() for row in file["frames"]], file["golden"]


async def check_first(host: Host) -> None:
    """The board must still answer a good frame with its golden integers."""
    frames, golden = vectors()
    answer = await host.ask(encode(RUN, frames[0]))
    assert answer.command == RESULT, answer
    assert (protocol.unpack_result(answer.payload) == golden[0]).all()


@cocotb.test()
async def answers_every_frame(dut: Any) -> None:
    """All frames, one after the other; the comparison is made outside."""
    host = await start(dut)
    found = []
    with np.load("vectors.npz") as file:
        modes = file["modes"].tolist()
    requests = [encode(RUN, frame) for frame in vectors()[0]]
    if modes:
        pairs = zip(vectors()[0], modes, strict=True)
        requests = [encode(RUN_MODE, frame + bytes([mode])) for frame, mode in pairs]
    for request in requests:
        answer = await host.ask(request)
        found.append(protocol.unpack_result(protocol.expect(answer, RESULT)))
    np.save("outputs.npy", np.array(found))


@cocotb.test()
async def tells_what_it_is(dut: Any) -> None:
    """The answer to a ping is built from the parameters of the top."""
    host = await start(dut)
    answer = await host.ask(encode(PING))
    info = protocol.read_pong(protocol.expect(answer, PONG))
    expected = int(host.parameters["DesignId"].split("h")[1], 16)
    assert info.design_id == expected
    assert info.frame_bytes == host.parameters["FrameBytes"]
    assert info.outputs == host.parameters["Outputs"]


@cocotb.test()
async def names_bad_frames_and_goes_on(dut: Any) -> None:
    """Checksum, length both ways, silence, unknown command, garbage before a good frame."""
    host = await start(dut)
    frames, _ = vectors()
    good = encode(RUN, frames[0])
    for request, code in (
        (good[:-1] + bytes([good[-1] ^ 0x40]), 1),
        (encode(RUN, frames[0] + b"\0"), 2),
        (encode(RUN, frames[0][:-1]), 2),
        (good[:-3], 3),
        (good[:3], 3),
        (encode(0x7E, frames[0]), 4),
        # A frame and a mode: none there is, or no command at all.
        (encode(RUN_MODE, frames[0] + b"\xff"), 8 if "Modes" in host.parameters else 4),
    ):
        assert await host.ask(request) == Frame(FAULT, bytes([code])), request.hex()
        if host.parameters["Leds"] >= 3:
            assert host.fault_lamp()
        await check_first(host)
        if host.parameters["Leds"] >= 3:
            assert not host.fault_lamp()
    await host.line.write(b"\x00\xb1\xff\xb1")
    await check_first(host)


@cocotb.test()
async def the_button_resets(dut: Any) -> None:
    """Pressed in the middle of a frame: no answer, and the next frame is served.

    Without a button its port says nothing: the frame goes on.
    """
    host = await start(dut)
    frames, golden = vectors()
    request = encode(RUN, frames[0])
    await host.line.write(request[:-1])
    await host.line.wait()
    dut.button_i.value = 1 - host.released
    await Timer(50 * PERIOD_NS, unit="ns")
    dut.button_i.value = host.released
    if not host.flag("Button"):
        answer = await host.ask(request[-1:])
        assert (protocol.unpack_result(protocol.expect(answer, RESULT)) == golden[0]).all()
        return
    await Timer(1000 * PERIOD_NS, unit="ns")
    assert host.back.empty()
    await check_first(host)
