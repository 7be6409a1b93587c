"""cocotb bench of bf_gather: the integers of plane beats, and every word's exact cycle."""

import random

import cocotb
import numpy as np
from planes import irregular_times, last_times, predict, vector_waits
from streams import collect, drive, parameters, reset, start, timed_run

from bitfold.cost.schedule_streams import GatherSchedule
from bitfold.cost.stages import Gather
from bitfold.sim.reference import codes_to_values, pack_biases, to_plane_beats

P = parameters()
GROUP, PLANES, WORDS, BIPOLAR = P["Group"], P["Planes"], P["Words"], bool(P["Bipolar"])
STAGE = Gather(name="dut", group=GROUP, planes=PLANES, words=WORDS, bipolar=BIPOLAR, pixels=1)


def vectors(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Plane beats in, words of integers out; codes are two's complement or not, as one likes."""
    codes = np.random.default_rng(seed).integers(0, 1 << PLANES, (count, GROUP * WORDS))
    values = codes_to_values(codes, PLANES, bipolar=BIPOLAR)
    beats = [beat for row in codes for beat in to_plane_beats(row, PLANES, GROUP)]
    words = [w for row in values for w in pack_biases(row, pe=GROUP, width=STAGE.width)]
    return beats, words


async def begin(dut) -> None:
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def integers_under_random_stalls(dut):
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.3, 0.3)):
        beats, words = vectors(20, seed=1)
        task = cocotb.start_soon(drive(dut, "in", beats, stall_in, seed=2))
        assert await collect(dut, "out", len(words), stall_out, seed=3) == words
        await task


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_vector(dut):
    await begin(dut)
    beats, words = vectors(5, seed=4)
    for part in (1, len(beats) // 2, len(beats) - 1):
        dut.out_ready_i.value = 1
        await drive(dut, "in", beats[:part])
        await reset(dut)
        assert dut.out_valid_o.value == 0
        assert dut.in_ready_o.value == 1
    cocotb.start_soon(drive(dut, "in", beats))
    assert await collect(dut, "out", len(words)) == words


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_word_leaves_in_its_cycle(dut):
    schedule, count, rng = GatherSchedule(STAGE), 25, random.Random(5)
    beats, words = vectors(count, seed=6)
    n = schedule.in_beats
    await begin(dut)
    for times in (list(range(len(beats))), irregular_times(rng, len(beats), n + 2)):
        for waits in (
            {},
            vector_waits(rng, len(words), 1, n),
            vector_waits(rng, count, WORDS, 4 * n),
        ):
            await reset(dut)
            run = await timed_run(dut, beats, times, len(words), waits)
            assert run.words == words
            consumer = [run.ready_from[k] for k in range(len(words))]
            accepted, taken = predict(schedule, last_times(times, n), consumer)
            assert last_times(run.accepted, n) == accepted
            assert run.taken == taken
