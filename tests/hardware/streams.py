"""Drivers that the benches share: clock, reset, and valid/ready streams with random stalls."""

import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

PERIOD_NS = 10


def parameters() -> dict[str, int]:
    """The design's parameters as given to the build; numbers in Verilog notation become ints."""
    found = json.loads(os.environ["BITFOLD_PARAMETERS"])
    return {k: _number(v) for k, v in found.items()}


def _number(value: int | str) -> Any:
    if isinstance(value, int) or "'" not in value:
        return value
    digits = value.split("'")[1].replace("_", "")
    return int(digits[1:], {"b": 2, "h": 16, "d": 10}[digits[0]])


async def start(dut: Any) -> None:
    """Clock on, then reset for three cycles. The caller sets the inputs it owns before."""
    cocotb.start_soon(Clock(dut.clk_i, PERIOD_NS, unit="ns").start())
    await reset(dut)


async def reset(dut: Any) -> None:
    """Three cycles of reset, released at a falling edge."""
    dut.rst_ni.value = 0
    for _ in range(3):
        await RisingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


async def drive(
    dut: Any, name: str, words: Sequence[int], stall: float = 0.0, seed: int = 0
) -> None:
    """Offer `words` on <name>_valid_i/_data_i; before each, wait a while with chance `stall`.

    Signals change at the falling edge, so that what is sampled at the rising edge is settled.
    """
    rng = random.Random(seed)
    valid = getattr(dut, f"{name}_valid_i")
    ready = getattr(dut, f"{name}_ready_o")
    data = getattr(dut, f"{name}_data_i")
    for word in words:
        while rng.random() < stall:
            valid.value = 0
            await FallingEdge(dut.clk_i)
        valid.value = 1
        data.value = word
        while True:
            await Timer(1, unit="ns")
            taken = bool(ready.value)
            await FallingEdge(dut.clk_i)
            if taken:
                break
    valid.value = 0


async def collect(dut: Any, name: str, count: int, stall: float = 0.0, seed: int = 0) -> list[int]:
    """Take `count` words from <name>_valid_o/_data_o; each cycle refuse with chance `stall`.

    Asserts that a refused word stays valid and unchanged.
    """
    rng = random.Random(seed)
    valid = getattr(dut, f"{name}_valid_o")
    ready = getattr(dut, f"{name}_ready_i")
    data = getattr(dut, f"{name}_data_o")
    taken: list[int] = []
    refused: int | None = None
    while len(taken) < count:
        take = rng.random() >= stall
        ready.value = int(take)
        await Timer(1, unit="ns")
        if valid.value:
            word = int(data.value)
            assert refused is None or refused == word, f"{name}: {refused:#x} became {word:#x}"
            refused = None if take else word
            if take:
                taken.append(word)
        else:
            assert refused is None, f"{name}: a refused word was withdrawn"
        await FallingEdge(dut.clk_i)
    ready.value = 0
    return taken


async def idle(dut: Any, cycles: int) -> None:
    """Wait."""
    for _ in range(cycles):
        await FallingEdge(dut.clk_i)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What `timed_run` saw. Cycles count from its start; a transfer happens at a cycle's end."""

    words: list[int]  # taken
    accepted: list[int]  # cycle in which each input word was accepted
    taken: list[int]  # cycle in which each output word was taken
    ready_from: dict[int, int]  # output word -> first cycle in which it would have been taken


async def timed_run(
    dut: Any,
    words: Sequence[int],
    not_before: Sequence[int],
    count: int,
    waits: Mapping[int, int],
    *,
    limit: int = 1_000_000,
    inputs: tuple[str, str, str] = ("in_valid_i", "in_ready_o", "in_data_i"),
    outputs: tuple[str, str, str] = ("out_valid_o", "out_ready_i", "out_data_o"),
) -> Run:
    """Offer words[k] from cycle not_before[k] on; take `count` words; record every cycle.

    waits: output word k -> cycles for which ready stays low after word k - 1 was taken. In all
    other cycles ready is high.
    """
    valid, ready, data = (getattr(dut, name) for name in inputs)
    out_valid, out_ready, out_data = (getattr(dut, name) for name in outputs)
    run = Run(words=[], accepted=[], taken=[], ready_from={})
    open_at = waits.get(0, 0)
    run.ready_from[0] = open_at
    cycle = 0
    while len(run.words) < count or len(run.accepted) < len(words):
        assert cycle < limit, f"stuck: {len(run.accepted)} in, {len(run.words)} out"
        k = len(run.accepted)
        offer = k < len(words) and cycle >= not_before[k]
        take = cycle >= open_at
        valid.value = int(offer)
        if offer:
            data.value = words[k]
        out_ready.value = int(take)
        await Timer(1, unit="ns")
        if offer and ready.value:
            run.accepted.append(cycle)
        if take and out_valid.value:
            run.taken.append(cycle)
            run.words.append(int(out_data.value))
            open_at = cycle + 1 + waits.get(len(run.words), 0)
            run.ready_from[len(run.words)] = open_at
        await FallingEdge(dut.clk_i)
        cycle += 1
    valid.value = 0
    out_ready.value = 0
    return run
