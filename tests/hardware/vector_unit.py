"""What the benches of bf_mvtu and bf_vvau share: driving both sides; the recurrence of times."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np
from cocotb.triggers import FallingEdge, Timer
from streams import reset, start

from bitfold.sim.reference import MvtuTiming, mvtu_schedule

Policy = Callable[[int], bool]  # cycle -> offer the next beat, or take one


class Case(Protocol):
    """A layer: its numbers and its cycle counts."""

    @property
    def out_vectors(self) -> int: ...
    def timings(self, count: int) -> list[MvtuTiming]: ...
    def inputs_of(self, count: int, seed: int) -> np.ndarray: ...
    def in_beats(self, x: np.ndarray) -> list[int]: ...
    def golden(self, x: np.ndarray) -> np.ndarray: ...
    def out_beats(self, row: np.ndarray) -> list[int]: ...


@dataclass
class Trace:
    """Cycle numbers of a run."""

    taken_in: list[int] = field(default_factory=list)
    ready: list[tuple[int, int, bool]] = field(default_factory=list)  # cycle, beat expected, ready
    offered_out: list[int] = field(default_factory=list)
    taken_out: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)


def always(_: int) -> bool:
    return True


def at_random(chance: float, seed: int) -> Policy:
    rng = random.Random(seed)
    return lambda _: rng.random() < chance


def bursts(length: int, seed: int) -> Policy:
    """Long pauses and long runs."""
    rng = random.Random(seed)
    state = [False, 0]

    def policy(_: int) -> bool:
        if state[1] == 0:
            state[0] = not state[0]
            state[1] = rng.randrange(1, 2 * length)
        state[1] -= 1
        return state[0]

    return policy


async def play(dut, beats: list[int], expected: int, offer: Policy, take: Policy) -> Trace:
    """Drive both sides until `expected` words came out; a beat once offered stays offered."""
    trace = Trace()
    cycle = 0
    offering = False
    while len(trace.words) < expected:
        sent = len(trace.taken_in)
        offering = sent < len(beats) and (offering or offer(cycle))
        taking = take(cycle)
        dut.in_valid_i.value = int(offering)
        if offering:
            dut.in_data_i.value = beats[sent]
        dut.out_ready_i.value = int(taking)
        await Timer(1, unit="ns")
        ready = bool(dut.in_ready_o.value)
        trace.ready.append((cycle, sent, ready))
        if offering and ready:
            trace.taken_in.append(cycle)
            offering = False
        if dut.out_valid_o.value:
            if len(trace.offered_out) == len(trace.words):
                trace.offered_out.append(cycle)
            if taking:
                trace.taken_out.append(cycle)
                trace.words.append(int(dut.out_data_o.value))
        assert cycle < 200_000, "no progress"
        await FallingEdge(dut.clk_i)
        cycle += 1
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    return trace


def check_timing(case: Case, trace: Trace, vectors: int) -> list[int]:
    """Every output beat is offered, every input beat accepted, when the recurrence says."""
    timings = case.timings(vectors)
    beats_in = len(trace.taken_in) // vectors
    beats_out = len(trace.words) // vectors
    last_in = trace.taken_in[beats_in - 1 :: beats_in]
    last_taken = trace.taken_out[beats_out - 1 :: beats_out]
    starts, last_offered, opens = mvtu_schedule(timings, last_in, last_taken, case.out_vectors)
    for v in range(vectors):
        for k, offset in enumerate(timings[v].out_offsets):
            number = v * beats_out + k
            before = trace.taken_out[number - 1] + 1 if number else 0
            wanted = max(starts[v] + offset, before)
            assert trace.offered_out[number] == wanted, (v, k, trace.offered_out[number], wanted)
        assert starts[v] + timings[v].out_offsets[-1] == last_offered[v]
    for cycle, beat, ready in trace.ready:
        v = beat // beats_in
        if v < vectors:
            assert ready == (beat % beats_in > 0 or cycle >= opens[v]), (cycle, beat, ready)
        elif v - 2 < len(starts):
            assert ready == (cycle >= starts[v - 2] + timings[v - 2].release), (cycle, beat, ready)
    return starts


def frames(case: Case, vectors: int, seed: int) -> tuple[list[int], list[int]]:
    x = case.inputs_of(vectors, seed)
    golden = case.golden(x)
    return (
        [b for row in x for b in case.in_beats(row)],
        [b for row in golden for b in case.out_beats(row)],
    )


def stalls(period: int):
    """Pairs of when to offer and when to take, for a unit with so many cycles a vector."""
    return (
        (at_random(0.3, 1), always),
        (always, at_random(0.4, 2)),
        (at_random(0.6, 3), at_random(0.6, 4)),
        (bursts(4 * period, 5), always),
        (always, bursts(6 * period, 6)),
        (bursts(3 * period, 7), bursts(3 * period, 8)),
        (lambda cycle: cycle > 20, lambda cycle: cycle > 8 * period + 50),
    )


def quiet(dut) -> None:
    dut.in_valid_i.value = 0
    dut.in_data_i.value = 0
    dut.out_ready_i.value = 0


async def full_rate(dut, case: Case) -> None:
    """No bubbles, every beat in its cycle."""
    quiet(dut)
    await start(dut)
    beats, words = frames(case, 12, seed=1)
    trace = await play(dut, beats, len(words), always, always)
    assert trace.words == words
    starts = check_timing(case, trace, 12)
    timing, *others = set(case.timings(12))
    if not others and case.out_vectors >= timing.vectors:
        gaps = {b - a for a, b in pairwise(starts)}
        period = max(timing.period, len(beats) // 12)
        assert gaps == {period}, (gaps, period)


async def stalled(dut, case: Case) -> None:
    """Exact, to the cycle, under every kind of stall."""
    quiet(dut)
    await start(dut)
    period = max(t.period for t in case.timings(12))
    for seed, (offer, take) in enumerate(stalls(period)):
        beats, words = frames(case, 12, seed)
        trace = await play(dut, beats, len(words), offer, take)
        assert trace.words == words, seed
        # The unit must be empty for the next run to begin at the recurrence's origin.
        await reset(dut)
        check_timing(case, trace, 12)


async def reset_in_between(dut, case: Case) -> None:
    """What comes after a reset in mid-vector is as from the start."""
    quiet(dut)
    await start(dut)
    beats, words = frames(case, 6, seed=9)
    for part in (1, len(words) // 3 + 1, len(words) // 2 + 1):
        await play(dut, beats, part, always, always)
        await reset(dut)
        trace = await play(dut, beats, len(words), always, always)
        assert trace.words == words, part
        check_timing(case, trace, 6)
        await reset(dut)
