"""cocotb bench of bf_maxpool: the maximum of the integers, and every vector's exact cycle."""

import random
from functools import partial

import cocotb
from move_cases import pool_windows
from planes import (
    consumer_times,
    inner_waits,
    irregular_times,
    last_times,
    predict,
    vector_waits,
)
from streams import collect, drive, parameters, reset, start, timed_run

from bitfold.cost.schedule_streams import PoolSchedule
from bitfold.cost.stages import Pool

P = parameters()
GROUP, BEATS, PLANES = P["Group"], P["Beats"], P["Planes"]
SIGNED, POSITIONS, HELD = bool(P["Signed"]), P["Positions"], P.get("OutVectors", 2)


windows = partial(pool_windows, P)


async def begin(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_max_under_random_stalls(dut):
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.3, 0.3)):
        given, wanted = windows(40, seed=1)
        task = cocotb.start_soon(drive(dut, "in", given, stall_in, seed=2))
        assert await collect(dut, "out", len(wanted), stall_out, seed=3) == wanted
        await task


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await begin(dut)
    given, wanted = windows(6, seed=4)
    for part in (1, len(given) // 2, len(given) - 1):
        dut.out_ready_i.value = 1
        await drive(dut, "in", given[:part])
        await reset(dut)
        assert dut.out_valid_o.value == 0
    cocotb.start_soon(drive(dut, "in", given))
    assert await collect(dut, "out", len(wanted)) == wanted


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_vector_leaves_in_its_cycle(dut):
    count, rng = 30, random.Random(5)
    schedule = PoolSchedule(
        Pool(
            name="dut",
            group=GROUP,
            beats=BEATS,
            planes=PLANES,
            signed=SIGNED,
            positions=POSITIONS,
            pixels=count,
        ),
        HELD,
    )
    given, wanted = windows(count, seed=6)
    n = schedule.in_beats
    late = irregular_times(rng, len(given), n + 2)
    await begin(dut)
    for times in (list(range(len(given))), late):
        for waits in (
            {},
            vector_waits(rng, count, BEATS, 4 * n),
            inner_waits(rng, count, BEATS, 2 * n),
        ):
            await reset(dut)
            run = await timed_run(dut, given, times, len(wanted), waits)
            assert run.words == wanted
            consumer = consumer_times(run.ready_from, count, BEATS)
            accepted, taken = predict(schedule, last_times(times, n), consumer)
            assert last_times(run.accepted, n) == accepted
            assert last_times(run.taken, BEATS) == taken
