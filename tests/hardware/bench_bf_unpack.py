"""cocotb bench of bf_unpack: order, stalls, reset, and every item's exact cycle."""

import random

import cocotb
from planes import irregular_times, vector_waits
from streams import collect, drive, parameters, reset, start, timed_run

P = parameters()
ITEMS, WIDTH = P["Items"], P["Width"]


async def begin(dut):
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await start(dut)


def words_and_items(count: int, seed: int) -> tuple[list[int], list[int]]:
    rng = random.Random(seed)
    items = [rng.getrandbits(WIDTH) for _ in range(count * ITEMS)]
    starts = range(0, len(items), ITEMS)
    return [sum(items[k + i] << (WIDTH * i) for i in range(ITEMS)) for k in starts], items


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def keeps_order_under_random_stalls(dut):
    await begin(dut)
    for stall_in, stall_out in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4)):
        words, items = words_and_items(60, seed=1)
        cocotb.start_soon(drive(dut, "in", words, stall_in, seed=2))
        assert await collect(dut, "out", len(items), stall_out, seed=3) == items


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def reset_empties_it(dut):
    await begin(dut)
    words, items = words_and_items(3, seed=4)
    await drive(dut, "in", words[:1])
    await collect(dut, "out", ITEMS - 1)
    await reset(dut)
    assert dut.out_valid_o.value == 0
    cocotb.start_soon(drive(dut, "in", words))
    assert await collect(dut, "out", len(items)) == items


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_item_leaves_in_its_cycle(dut):
    rng = random.Random(5)
    words, items = words_and_items(80, seed=6)
    await begin(dut)
    for times in (list(range(80)), irregular_times(rng, 80, 3 * ITEMS)):
        for waits in ({}, vector_waits(rng, len(items), 1, 4)):
            await reset(dut)
            run = await timed_run(dut, words, times, len(items), waits)
            assert run.words == items
            for w in range(80):
                first, last = w * ITEMS, (w + 1) * ITEMS - 1
                room = max(run.taken[first - 1], run.accepted[w - 1] + 1) if w else 0
                assert run.accepted[w] == max(times[w], room)
                for k in range(first, last + 1):
                    before = run.taken[k - 1] + 1 if k > first else run.accepted[w] + 1
                    assert run.taken[k] == max(before, run.ready_from[k])
