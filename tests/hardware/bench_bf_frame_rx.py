"""cocotb bench of bf_frame_rx."""

import random

import cocotb
from cocotb.triggers import FallingEdge
from streams import parameters, start
from uart import pulses

from bitfold.host.protocol import MAGIC, encode

OK, BAD_CRC, TIMEOUT, BAD_BYTE = 0, 1, 3, 7


class Bench:
    def __init__(self, dut):
        self.dut = dut
        self.rng = random.Random(5)
        self.payload = pulses(dut, "payload_valid_o", "payload_data_o")
        self.done = pulses(dut, "done_o", "fault_o", "command_o", "length_o")

    async def send(self, data, broken=(), gap=3):
        for index, byte in enumerate(data):
            self.dut.byte_valid_i.value = 1
            self.dut.byte_data_i.value = byte
            self.dut.byte_error_i.value = int(index in broken)
            await FallingEdge(self.dut.clk_i)
            self.dut.byte_valid_i.value = 0
            for _ in range(self.rng.randrange(gap + 1)):
                await FallingEdge(self.dut.clk_i)

    async def wait(self, cycles):
        for _ in range(cycles):
            await FallingEdge(self.dut.clk_i)

    def take(self, queue):
        return [queue.get_nowait() for _ in range(queue.qsize())]


async def prepare(dut):
    dut.byte_valid_i.value = 0
    dut.byte_error_i.value = 0
    dut.listen_i.value = 1
    await start(dut)
    return Bench(dut)


@cocotb.test()
async def takes_good_frames(dut):
    b = await prepare(dut)
    for length in (0, 1, 2, 255, 256, 300):
        payload = b.rng.randbytes(length)
        await b.send(encode(0x42, payload), gap=length % 3)
        await b.wait(2)
        assert b.take(b.done) == [(OK, 0x42, length)]
        assert bytes(v for (v,) in b.take(b.payload)) == payload


@cocotb.test()
async def skips_garbage_before_a_frame(dut):
    b = await prepare(dut)
    for garbage in (b"\x00", b"\xb1", b"\xb1\xb1", b"\xf0\xb1\x00", b"\xb1\x00\xf0"):
        await b.send(garbage + encode(1, b"xy"))
        await b.wait(2)
        assert b.take(b.done) == [(OK, 1, 2)], garbage


@cocotb.test()
async def every_damaged_bit_is_seen(dut):
    b = await prepare(dut)
    patience = parameters()["TimeoutCycles"]
    frame = encode(2, b"abc")
    for bit in range(8 * len(MAGIC), 8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        await b.send(damaged)
        await b.wait(patience + 4)
        # A damaged length ends early with a wrong checksum, or late by silence.
        (first, *_) = b.take(b.done)
        assert first[0] in (BAD_CRC, TIMEOUT), bit
        await b.send(encode(1))
        await b.wait(2)
        assert b.take(b.done) == [(OK, 1, 0)]


@cocotb.test()
async def silence_inside_a_frame_ends_it(dut):
    b = await prepare(dut)
    patience = parameters()["TimeoutCycles"]
    frame = encode(2, b"abc")
    for length in range(1, len(frame)):
        await b.send(frame[:length], gap=0)
        await b.wait(patience)
        assert b.done.empty()
        await b.wait(3)
        faults = [fault for fault, *_ in b.take(b.done)]
        assert faults == ([TIMEOUT] if length >= len(MAGIC) else [])
        await b.send(frame)
        await b.wait(2)
        assert b.take(b.done) == [(OK, 2, 3)]


@cocotb.test()
async def a_byte_without_stop_bit_spoils_its_frame_only(dut):
    b = await prepare(dut)
    frame = encode(2, b"abc")
    for index in range(len(MAGIC), len(frame)):
        await b.send(frame, broken=(index,))
        await b.wait(2)
        assert [fault for fault, *_ in b.take(b.done)] == [BAD_BYTE]
        await b.send(frame)
        await b.wait(2)
        assert b.take(b.done) == [(OK, 2, 3)]


@cocotb.test()
async def deaf_while_not_listening(dut):
    b = await prepare(dut)
    frame = encode(2, b"abc")
    await b.send(frame[:6])
    dut.listen_i.value = 0
    await b.send(frame)
    dut.listen_i.value = 1
    await b.wait(2)
    assert b.done.empty()
    await b.send(frame)
    await b.wait(2)
    assert b.take(b.done) == [(OK, 2, 3)]
