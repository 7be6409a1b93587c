"""cocotb bench of bf_axis_in: planes of the bytes, tlast, and every beat's exact cycle."""

import logging
import random

import cocotb
from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSource
from planes import consumer_times, irregular_times, last_times, predict, to_planes, vector_waits
from streams import collect, parameters, reset, start, timed_run

from bitfold.cost.schedule_streams import AxisInSchedule
from bitfold.cost.stages import AxisIn

P = parameters()
GROUP, PLANES, BEATS = P["Group"], P["Planes"], P["BeatsPerFrame"]
AXIS = ("s_axis_tvalid", "s_axis_tready", "s_axis_tdata")


def frame(rng: random.Random) -> tuple[list[int], list[int]]:
    """Bytes of one frame, plane beats out. High bits are noise: they do not count."""
    data = [rng.randrange(256) for _ in range(BEATS * GROUP)]
    planes = []
    for start_ in range(0, len(data), GROUP):
        planes += to_planes(data[start_ : start_ + GROUP], GROUP, PLANES)
    return data, planes


async def begin(dut) -> None:
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tlast.value = 0
    dut.s_axis_tdata.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


def source_of(dut) -> AxiStreamSource:
    bus = AxiStreamBus.from_prefix(dut, "s_axis")
    source = AxiStreamSource(bus, dut.clk_i, dut.rst_ni, reset_active_level=False, byte_lanes=GROUP)
    source.log.setLevel(logging.WARNING)
    return source


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def planes_of_axi_frames_under_random_pauses(dut):
    source = source_of(dut)
    await begin(dut)
    rng = random.Random(1)
    for pause, stall in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.3, 0.3)):
        source.set_pause_generator(rng.random() < pause for _ in iter(int, 1))
        wanted = []
        for _ in range(4):
            data, planes = frame(rng)
            wanted += planes
            source.send_nowait(bytes(data))
        assert await collect(dut, "out", len(wanted), stall, seed=2) == wanted
        assert dut.frame_error_o.value == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def tells_a_wrong_tlast_and_passes_the_data_on(dut):
    source = source_of(dut)
    await begin(dut)
    rng = random.Random(3)
    for wrong in (BEATS - 1, BEATS + 1):  # early, late
        if wrong == 0:
            continue
        data, planes = frame(rng)
        more, more_planes = frame(rng)
        source.send_nowait(bytes((data + more)[: wrong * GROUP]))
        wanted = (planes + more_planes)[: wrong * PLANES]
        assert await collect(dut, "out", len(wanted)) == wanted
        assert dut.frame_error_o.value == 1
        rest = (data + more)[wrong * GROUP :]
        source.send_nowait(bytes(rest))
        wanted = (planes + more_planes)[wrong * PLANES :]
        assert await collect(dut, "out", len(wanted)) == wanted
        assert dut.frame_error_o.value == 1, "sticky"
        await reset(dut)
        assert dut.frame_error_o.value == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    source = source_of(dut)
    await begin(dut)
    rng = random.Random(4)
    data, planes = frame(rng)
    for part in (1, len(planes) - 1):
        source.send_nowait(bytes(data))
        assert await collect(dut, "out", max(part, 1)) == planes[: max(part, 1)]
        dut.rst_ni.value = 0
        await FallingEdge(dut.clk_i)
        source.clear()
        await reset(dut)
        assert dut.out_valid_o.value == 0
    source.send_nowait(bytes(data))
    assert await collect(dut, "out", len(planes)) == planes
    assert dut.frame_error_o.value == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_value_leaves_in_its_cycle(dut):
    schedule = AxisInSchedule(AxisIn(name="dut", group=GROUP, planes=PLANES, beats=BEATS))
    rng = random.Random(5)
    words, wanted = [], []
    for _ in range(max(3, 40 // BEATS)):
        data, planes = frame(rng)
        words += [int.from_bytes(data[k : k + GROUP], "little") for k in range(0, len(data), GROUP)]
        wanted += planes
    count = len(words)
    await begin(dut)
    for times in (list(range(count)), irregular_times(rng, count, 4 * PLANES)):
        for waits in ({}, vector_waits(rng, count, PLANES, 3 * PLANES)):
            await reset(dut)
            run = await timed_run(dut, words, times, len(wanted), waits, inputs=AXIS)
            assert run.words == wanted
            consumer = consumer_times(run.ready_from, count, PLANES)
            accepted, taken = predict(schedule, times, consumer)
            assert run.accepted == accepted
            assert last_times(run.taken, PLANES) == taken
