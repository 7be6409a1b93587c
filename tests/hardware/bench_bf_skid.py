"""cocotb bench of bf_skid: order, stalls, and every word's exact cycle."""

import random

import cocotb
from planes import irregular_times, vector_waits
from streams import collect, drive, parameters, reset, start, timed_run


async def begin(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


def random_words(count: int, seed: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.getrandbits(parameters()["Width"]) for _ in range(count)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def keeps_order_under_random_stalls(dut):
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4)):
        words = random_words(200, seed=1)
        cocotb.start_soon(drive(dut, "in", words, stall_in, seed=2))
        assert await collect(dut, "out", len(words), stall_out, seed=3) == words


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def reset_empties_it(dut):
    await begin(dut)
    await drive(dut, "in", random_words(2, seed=4))
    assert dut.in_ready_o.value == 0, "full after two words"
    await reset(dut)
    assert dut.out_valid_o.value == 0
    assert dut.in_ready_o.value == 1


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_word_leaves_in_its_cycle(dut):
    rng = random.Random(5)
    words = random_words(300, seed=6)
    await begin(dut)
    for times in (list(range(300)), irregular_times(rng, 300, 5)):
        for waits in ({}, vector_waits(rng, 300, 1, 4)):
            await reset(dut)
            run = await timed_run(dut, words, times, 300, waits)
            assert run.words == words
            before = 0
            for k in range(300):
                wanted = max(run.accepted[k] + 1, before, run.ready_from[k])
                assert run.taken[k] == wanted
                before = wanted + 1
                credit = run.taken[k - 2] + 1 if k > 1 else 0
                previous = run.accepted[k - 1] + 1 if k else 0
                assert run.accepted[k] == max(times[k], previous, credit)
