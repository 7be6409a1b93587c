"""cocotb bench of bf_argmax: the first of the greatest, and every frame's exact cycle."""

import random

import cocotb
from planes import irregular_times, predict, vector_waits
from streams import collect, drive, parameters, reset, start, timed_run

from bitfold.cost.schedule_streams import ArgmaxSchedule
from bitfold.cost.stages import AxisOut

P = parameters()
ITEMS, WIDTH, OUTPUTS = P["Items"], P["Width"], P["Outputs"]


def frames(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Words in, places out; every third frame has few distinct values, so ties occur."""
    rng = random.Random(seed)
    low, high = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
    words, places = [], []
    for number in range(count):
        draw = (
            (lambda: rng.choice((low, high, -1)))
            if number % 3
            else (lambda: rng.randint(low, high))
        )
        values = [draw() for _ in range(OUTPUTS)]
        places.append(values.index(max(values)))
        for k in range(0, OUTPUTS, ITEMS):
            mask = (1 << WIDTH) - 1
            words.append(sum((values[k + i] & mask) << (WIDTH * i) for i in range(ITEMS)))
    return words, places


async def begin(dut) -> None:
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def first_of_the_greatest_under_random_stalls(dut):
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.9), (0.4, 0.4)):
        words, places = frames(40, seed=1)
        cocotb.start_soon(drive(dut, "in", words, stall_in, seed=2))
        assert await collect(dut, "out", len(places), stall_out, seed=3) == places


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await begin(dut)
    words, places = frames(5, seed=4)
    dut.out_ready_i.value = 1
    await drive(dut, "in", words[: (OUTPUTS // ITEMS + 1) // 2])
    await reset(dut)
    assert dut.out_valid_o.value == 0
    cocotb.start_soon(drive(dut, "in", words))
    assert await collect(dut, "out", len(places)) == places


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_place_leaves_in_its_cycle(dut):
    schedule = ArgmaxSchedule(AxisOut(name="dut", group=ITEMS, width=WIDTH, outputs=OUTPUTS))
    words, places = frames(20, seed=5)
    rng = random.Random(6)
    await begin(dut)
    for times in (list(range(len(words))), irregular_times(rng, len(words), 4 * ITEMS)):
        for waits in ({}, vector_waits(rng, len(places), 1, 3 * OUTPUTS)):
            await reset(dut)
            run = await timed_run(dut, words, times, len(places), waits)
            assert run.words == places
            consumer = [run.ready_from[f] for f in range(len(places))]
            accepted, taken = predict(schedule, times, consumer)
            assert run.accepted == accepted
            assert run.taken == taken
