"""cocotb bench of bf_finn_mvu: integers equal numpy's, and each beat comes in its cycle."""

import json
import os
from itertools import pairwise

import cocotb
from finn_layer import case_of
from streams import reset, start
from vector_unit import Trace, always, play, quiet, stalls

from bitfold.sim.reference import mvtu_schedule

CASE = case_of(json.loads(os.environ["BITFOLD_PARAMETERS"]))
UNIT = CASE.unit
WORDS = CASE.inputs // CASE.simd
PLACES = CASE.parameters()["OutVectors"]


def check_times(trace: Trace) -> None:
    """Every beat is offered when the recurrence says."""
    timing, folds = UNIT.timing, CASE.outputs // CASE.pe
    taken = trace.taken_out[folds - 1 :: folds]
    arrived: list[int] = []
    for v in range(CASE.vectors):
        last_word = trace.taken_in[(v + 1) * WORDS - 1]
        if WORDS == 1 and v >= 2:  # the word may wait for its slot
            _, _, opens = mvtu_schedule([timing] * (v + 1), [*arrived, 0], taken, PLACES)
            last_word = max(last_word, opens[v] - 1)
        arrived.append(last_word + UNIT.act_groups)
    starts, _, _ = mvtu_schedule([timing] * CASE.vectors, arrived, taken, PLACES)
    for k, offered in enumerate(trace.offered_out):
        v, fold = divmod(k, folds)
        before = trace.taken_out[k - 1] + 1 if k else 0
        assert offered == max(starts[v] + timing.out_offsets[fold], before), (v, fold)


@cocotb.test()
async def full_rate_is_what_the_estimate_says(dut):
    quiet(dut)
    await start(dut)
    beats, words = CASE.frames(seed=1)
    trace = await play(dut, beats, len(words), always, always)
    assert trace.words == words
    check_times(trace)
    folds = CASE.outputs // CASE.pe
    gaps = {b - a for a, b in pairwise(trace.offered_out[folds - 1 :: folds])}
    assert gaps == {UNIT.cycles // CASE.vectors}
    assert trace.taken_out[-1] - trace.taken_in[0] == UNIT.cycles + UNIT.fill


@cocotb.test()
async def exact_under_stalls(dut):
    quiet(dut)
    await start(dut)
    for seed, (offer, take) in enumerate(stalls(UNIT.timing.period)):
        beats, words = CASE.frames(seed)
        trace = await play(dut, beats, len(words), offer, take)
        assert trace.words == words, seed
        await reset(dut)
        check_times(trace)


@cocotb.test()
async def reset_in_mid_vector_leaves_no_trace(dut):
    quiet(dut)
    await start(dut)
    beats, words = CASE.frames(seed=9)
    for part in (1, len(words) // 3 + 1, len(words) // 2 + 1):
        await play(dut, beats, part, always, always)
        await reset(dut)
        trace = await play(dut, beats, len(words), always, always)
        assert trace.words == words, part
        check_times(trace)
        await reset(dut)
