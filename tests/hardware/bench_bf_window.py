"""cocotb bench of bf_window: contents under random stalls, and every window's exact cycle."""

import random

import cocotb
from planes import (
    consumer_times,
    flat,
    inner_waits,
    irregular_times,
    last_times,
    padding,
    predict,
    random_map,
    vector_waits,
    windows,
)
from streams import collect, drive, parameters, reset, start, timed_run

from bitfold.cost.schedule_window import WindowSchedule
from bitfold.cost.stages import Window


def stage() -> Window:
    p = parameters()
    pads = ("PadTop", "PadLeft", "PadBottom", "PadRight")
    return Window(
        name="dut",
        group=p["Group"],
        beats=p["Beats"],
        planes=p.get("Planes", 1),
        height=p["Height"],
        width=p["Width"],
        kernel=(p["KernelH"], p["KernelW"]),
        stride=(p["StrideH"], p["StrideW"]),
        pads=tuple(p.get(name, 0) for name in pads),
        dilation=(p.get("DilationH", 1), p.get("DilationW", 1)),
        pad_sign=bool(p.get("PadSign", 0)),
    )


def frames(s: Window, count: int, seed: int) -> tuple[list[int], list[int]]:
    """Beats in, beats out."""
    rng = random.Random(seed)
    pad = padding(s.beats, s.group, s.planes, s.pad_sign)
    beats_in, beats_out = [], []
    for _ in range(count):
        pixels = random_map(rng, s.height * s.width, s.beats, s.group)
        beats_in += flat(pixels)
        size = (s.height, s.width)
        beats_out += flat(
            windows(
                pixels,
                size,
                kernel=s.kernel,
                stride=s.stride,
                pads=s.pads,
                pad=pad,
                dilation=s.dilation,
            )
        )
    return beats_in, beats_out


async def begin(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    s = stage()
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3)):
        given, wanted = frames(s, 3, seed=3)
        task = cocotb.start_soon(drive(dut, "in", given, stall_in, seed=4))
        assert await collect(dut, "out", len(wanted), stall_out, seed=5) == wanted
        await task  # pixels behind the last window


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    s = stage()
    await begin(dut)
    given, wanted = frames(s, 2, seed=6)
    for part in (1, len(wanted) // 3, len(wanted) - 1):
        task = cocotb.start_soon(drive(dut, "in", given))
        assert await collect(dut, "out", part) == wanted[:part]
        task.cancel()
        dut.in_valid_i.value = 0
        await reset(dut)
        assert dut.out_valid_o.value == 0
    cocotb.start_soon(drive(dut, "in", given))
    assert await collect(dut, "out", len(wanted)) == wanted


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_window_leaves_in_its_cycle(dut):
    s = stage()
    schedule = WindowSchedule(s)
    given, wanted = frames(s, 4, seed=8)
    count = 4 * schedule.out_vectors
    n, rng = schedule.out_beats, random.Random(9)
    full = list(range(len(given)))
    late = irregular_times(rng, len(given), 6 * s.beats + 3)
    await begin(dut)
    for times in (full, late):
        for waits in (
            {},
            vector_waits(rng, count, n, 2 * n + 3),
            inner_waits(rng, count, n, n + 2),
            vector_waits(rng, count, n, 3),
        ):
            await reset(dut)
            run = await timed_run(dut, given, times, len(wanted), waits)
            assert run.words == wanted
            offered = last_times(times, s.beats)
            consumer = consumer_times(run.ready_from, count, n)
            accepted, taken = predict(schedule, offered, consumer)
            assert last_times(run.accepted, s.beats) == accepted
            assert last_times(run.taken, n) == taken
