"""What the benches of modules that move pixels share: contents, resets, and exact cycles."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from planes import (
    Schedule,
    consumer_times,
    inner_waits,
    irregular_times,
    last_times,
    predict,
    vector_waits,
)
from streams import collect, drive, reset, start, timed_run

# Frames, seed -> beats in, beats out.
Frames = Callable[[int, int], tuple[list[int], list[int]]]
STALLS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3))


async def begin(dut: Any) -> None:
    """No streams move; then clock and reset."""
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


async def compare_under_stalls(dut: Any, frames: Frames) -> None:
    """Every beat, with both ends slow by turns."""
    await begin(dut)
    for stall_in, stall_out in STALLS:
        given, wanted = frames(3, 3)
        task = cocotb.start_soon(drive(dut, "in", given, stall_in, seed=4))
        assert await collect(dut, "out", len(wanted), stall_out, seed=5) == wanted
        await task


async def compare_after_resets(dut: Any, frames: Frames) -> None:
    """A frame begins afresh after a reset in the middle of another."""
    await begin(dut)
    given, wanted = frames(2, 6)
    for part in (1, len(wanted) // 3, len(wanted) - 1):
        task = cocotb.start_soon(drive(dut, "in", given))
        assert await collect(dut, "out", part) == wanted[:part]
        task.cancel()
        dut.in_valid_i.value = 0
        await reset(dut)
        assert dut.out_valid_o.value == 0
    cocotb.start_soon(drive(dut, "in", given))
    assert await collect(dut, "out", len(wanted)) == wanted


async def compare_cycles(dut: Any, schedule: Schedule, frames: Frames) -> None:
    """Every vector moves in the cycle that the schedule says, with late inputs and waits."""
    given, wanted = frames(4, 8)
    size, n, rng = schedule.in_beats, schedule.out_beats, random.Random(9)
    count = len(wanted) // n
    await begin(dut)
    for times in (list(range(len(given))), irregular_times(rng, len(given), 6 * size + 3)):
        for waits in (
            {},
            vector_waits(rng, count, n, 2 * n + 3),
            inner_waits(rng, count, n, n + 2),
            vector_waits(rng, count, n, 3),
        ):
            await reset(dut)
            run = await timed_run(dut, given, times, len(wanted), waits)
            assert run.words == wanted
            consumer = consumer_times(run.ready_from, count, n)
            accepted, taken = predict(schedule, last_times(times, size), consumer)
            assert last_times(run.accepted, size) == accepted
            assert last_times(run.taken, n) == taken
