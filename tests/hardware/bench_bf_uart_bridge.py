"""cocotb bench of bf_uart_bridge; the accelerator is played by Python."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import PERIOD_NS, parameters, start
from uart import read_frame, send_raw, sink, source

from bitfold.host.protocol import (
    FAULT,
    PING,
    PONG,
    RESULT,
    RUN,
    RUN_MODE,
    BoardInfo,
    Frame,
    encode,
    read_pong,
)

CRC, LENGTH, TIMEOUT, COMMAND, OUTPUTS, STOPPED, LINE, MODE = range(1, 9)


class Core:
    """The accelerator: output k of a frame is k - 5 * (sum of its bytes) + 999 * its mode, 32 bits.

    early: how many outputs it leaves out. dead: it takes nothing.
    """

    def __init__(self, dut, p, stall):
        self.dut, self.p, self.stall = dut, p, stall
        self.rng = random.Random(11)
        self.early, self.dead, self.resets, self.mode = 0, False, 0, 0
        dut.s_axis_tready_i.value = 0
        dut.m_axis_tvalid_i.value = 0
        cocotb.start_soon(self.work())

    async def cycle(self):
        """To the next falling edge; True when the accelerator was reset meanwhile."""
        await FallingEdge(self.dut.clk_i)
        if self.dut.core_rst_no.value == 0:
            self.resets += 1
            return True
        return False

    async def work(self):
        while True:
            data = await self.take()
            if data is not None:
                more = 999 * self.mode - 5 * sum(data)
                await self.give([(k + more) % 2**32 for k in range(self.p["Outputs"])])

    async def take(self):
        dut, data, last = self.dut, b"", False
        while not last:
            accept = not self.dead and self.rng.random() >= self.stall
            dut.s_axis_tready_i.value = int(accept)
            await Timer(1, unit="ns")
            if accept and dut.s_axis_tvalid_o.value == 1:
                self.mode = int(dut.s_axis_tuser_o.value) if not data else self.mode
                data += int(dut.s_axis_tdata_o.value).to_bytes(self.p["BeatBytes"], "little")
                last = bool(dut.s_axis_tlast_o.value)
            if await self.cycle():
                return None
        dut.s_axis_tready_i.value = 0
        assert len(data) == self.p["FrameBytes"]
        return data

    async def give(self, words):
        dut = self.dut
        for index, word in enumerate(words[: len(words) - self.early]):
            while self.rng.random() < self.stall:
                await self.cycle()
            dut.m_axis_tvalid_i.value = 1
            dut.m_axis_tdata_i.value = word
            dut.m_axis_tlast_i.value = int(index == len(words) - self.early - 1)
            taken = False
            while not taken:
                await Timer(1, unit="ns")
                taken = dut.m_axis_tready_o.value == 1
                if await self.cycle():
                    taken = True
            dut.m_axis_tvalid_i.value = 0


async def prepare(dut, stall=0.0):
    p = parameters()
    dut.rx_i.value = 1
    core = Core(dut, p, stall)
    await start(dut)
    for _ in range(10):
        await FallingEdge(dut.clk_i)  # the accelerator's own reset after power-on
    core.resets = 0
    line, back = source(dut.rx_i, p["BitCycles"]), sink(dut.tx_o, p["BitCycles"])
    return p, core, line, back


async def ask(dut, line, back, data):
    """Send bytes; the one answer, after which the line stays quiet."""
    await line.write(data)
    answer = await read_frame(back)
    await Timer(30 * parameters()["BitCycles"] * PERIOD_NS, unit="ns")
    assert back.empty()
    return answer


def result(p, data, mode=0):
    words = [(k - 5 * sum(data) + 999 * mode) % 2**32 for k in range(p["Outputs"])]
    return Frame(RESULT, b"".join(w.to_bytes(4, "little") for w in words))


def fault(code):
    return Frame(FAULT, bytes([code]))


@cocotb.test()
async def answers_frames(dut):
    p, _, line, back = await prepare(dut, stall=0.3)
    rng = random.Random(12)
    for _ in range(4):
        data = rng.randbytes(p["FrameBytes"])
        assert await ask(dut, line, back, encode(RUN, data)) == result(p, data)


@cocotb.test()
async def answers_a_ping(dut):
    p, _, line, back = await prepare(dut)
    answer = await ask(dut, line, back, encode(PING))
    assert answer.command == PONG
    assert read_pong(answer.payload) == BoardInfo(
        frame_bytes=p["FrameBytes"], outputs=p["Outputs"], design_id=p["DesignId"]
    )


@cocotb.test()
async def answers_errors_and_goes_on(dut):
    p, core, line, back = await prepare(dut)
    data = random.Random(13).randbytes(p["FrameBytes"])
    good = encode(RUN, data)
    spoilt = good[:-1] + bytes([good[-1] ^ 1])
    for request, code in (
        (spoilt, CRC),
        (encode(RUN, data + b"x"), LENGTH),
        (encode(RUN, data[:-1]), LENGTH),
        (encode(RUN, data * 3), LENGTH),
        (encode(PING, b"x"), LENGTH),
        (encode(0x55, data), COMMAND),
        (good[:-1], TIMEOUT),
        (good[:4], TIMEOUT),
    ):
        assert await ask(dut, line, back, request) == fault(code)
        assert dut.fault_o.value == 1
        assert await ask(dut, line, back, good) == result(p, data)
        assert dut.fault_o.value == 0
    assert core.resets == 0


@cocotb.test()
async def a_frame_brings_its_mode(dut):
    p, core, line, back = await prepare(dut, stall=0.2)
    data = random.Random(16).randbytes(p["FrameBytes"])
    modes = p.get("Modes", 1)
    if modes == 1:
        assert await ask(dut, line, back, encode(RUN_MODE, data + b"\0")) == fault(COMMAND)
        return
    for mode in (modes - 1, 0, 1):
        request = encode(RUN_MODE, data + bytes([mode]))
        assert await ask(dut, line, back, request) == result(p, data, mode)
        assert await ask(dut, line, back, encode(RUN, data)) == result(p, data)
    for payload, code in ((data + bytes([modes]), MODE), (data, LENGTH), (data + b"\0\0", LENGTH)):
        assert await ask(dut, line, back, encode(RUN_MODE, payload)) == fault(code)
    assert core.resets == 0


@cocotb.test()
async def a_broken_byte_is_named(dut):
    p, _, line, back = await prepare(dut)
    frame = encode(PING)
    for index, byte in enumerate(frame):
        await send_raw(dut.rx_i, byte, p["BitCycles"], stop=int(index != 3))
    assert await read_frame(back) == fault(LINE)
    assert (await ask(dut, line, back, frame)).command == PONG


@cocotb.test()
async def garbage_is_skipped(dut):
    p, _, line, back = await prepare(dut)
    data = random.Random(14).randbytes(p["FrameBytes"])
    good = encode(RUN, data)
    for garbage in (b"\x00\xff", b"\xb1", b"\xf0\xb1\xb1"):
        assert await ask(dut, line, back, garbage + good) == result(p, data)


@cocotb.test()
async def wrong_accelerators_are_reset(dut):
    p, core, line, back = await prepare(dut)
    data = random.Random(15).randbytes(p["FrameBytes"])
    good = encode(RUN, data)
    expected = [("dead", True, STOPPED)]
    if p["Outputs"] > 1:
        expected.append(("early", 1, OUTPUTS))
    for name, value, code in expected:
        core.resets = 0
        setattr(core, name, value)
        assert await ask(dut, line, back, good) == fault(code)
        assert core.resets == 8
        setattr(core, name, type(value)(0))
        assert await ask(dut, line, back, good) == result(p, data)
