"""cocotb bench of bf_axis_out: integers and tlast at an AXI sink, and every exact cycle."""

import logging
import random

import cocotb
from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink
from planes import irregular_times, predict, vector_waits
from streams import drive, parameters, reset, start, timed_run

from bitfold.cost.schedule_streams import AxisOutSchedule
from bitfold.cost.stages import AxisOut

P = parameters()
ITEMS, WIDTH, OUTPUTS, SIGNED = P["Items"], P["Width"], P["Outputs"], bool(P["Signed"])
AXIS = ("m_axis_tvalid", "m_axis_tready", "m_axis_tdata")


def frames(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Words in, 32-bit patterns out."""
    rng = random.Random(seed)
    low = -(1 << (WIDTH - 1)) if SIGNED else 0
    values = [low + rng.getrandbits(WIDTH) for _ in range(count * OUTPUTS)]
    mask = (1 << WIDTH) - 1
    words = [
        sum((values[k + i] & mask) << (WIDTH * i) for i in range(ITEMS))
        for k in range(0, len(values), ITEMS)
    ]
    return words, [value & 0xFFFFFFFF for value in values]


async def begin(dut) -> None:
    dut.in_valid_i.value = 0
    dut.m_axis_tready.value = 0
    await start(dut)


def sink_of(dut) -> AxiStreamSink:
    bus = AxiStreamBus.from_prefix(dut, "m_axis")
    sink = AxiStreamSink(bus, dut.clk_i, dut.rst_ni, reset_active_level=False, byte_lanes=4)
    sink.log.setLevel(logging.WARNING)
    return sink


async def receive(dut, sink: AxiStreamSink, count: int) -> list[int]:
    """Integers of `count` frames, each of which has to end with tlast in its place."""
    taken = []
    for _ in range(count):
        data = bytes((await sink.recv()).tdata)
        assert len(data) == 4 * OUTPUTS
        taken += [int.from_bytes(data[k : k + 4], "little") for k in range(0, len(data), 4)]
    await FallingEdge(dut.clk_i)  # the drivers' phase
    return taken


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def integers_of_frames_under_random_pauses(dut):
    sink = sink_of(dut)
    await begin(dut)
    rng = random.Random(1)
    for stall, pause in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.3, 0.3)):
        sink.set_pause_generator(rng.random() < pause for _ in iter(int, 1))
        words, wanted = frames(4, seed=2)
        cocotb.start_soon(drive(dut, "in", words, stall, seed=3))
        assert await receive(dut, sink, 4) == wanted


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await begin(dut)
    words, wanted = frames(3, seed=4)
    dut.m_axis_tready.value = 1
    await drive(dut, "in", words[: (OUTPUTS // ITEMS + 1) // 2])
    await reset(dut)
    assert dut.m_axis_tvalid.value == 0
    sink = sink_of(dut)
    cocotb.start_soon(drive(dut, "in", words))
    assert await receive(dut, sink, 3) == wanted


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_integer_leaves_in_its_cycle(dut):
    schedule = AxisOutSchedule(AxisOut(name="dut", group=ITEMS, width=WIDTH, outputs=OUTPUTS))
    count = max(3, 60 // OUTPUTS)
    words, wanted = frames(count, seed=5)
    rng = random.Random(6)
    await begin(dut)
    for times in (list(range(len(words))), irregular_times(rng, len(words), 3 * ITEMS)):
        for waits in ({}, vector_waits(rng, len(wanted), 1, 4)):
            await reset(dut)
            run = await timed_run(dut, words, times, len(wanted), waits, outputs=AXIS)
            assert run.words == wanted
            consumer = [run.ready_from[k] for k in range(len(wanted))]
            accepted, taken = predict(schedule, times, consumer)
            assert run.accepted == accepted
            assert run.taken == taken
