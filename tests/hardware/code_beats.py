"""Accumulators in, codes out and their cycles: the benches of bf_threshold and bf_divide."""

import random

import numpy as np
from cocotb.triggers import FallingEdge
from streams import reset
from threshold_cases import accumulators

from bitfold.sim.reference import apply_thresholds, to_plane_beats


def pack(values: np.ndarray, width: int) -> int:
    return sum((int(v) & ((1 << width) - 1)) << i * width for i, v in enumerate(values))


async def run(dut, p: dict, thresholds: np.ndarray, acc: np.ndarray, *, wait: float) -> None:
    """Folds at least CYCLES apart; beats come 2 + k cycles after them."""
    rng = random.Random(4)
    pe, bits, tpe = p["Pe"], p["OutBits"], p["Tpe"]
    cycles = bits * (pe // tpe)
    codes = apply_thresholds(acc, thresholds)
    if p["OutSigned"]:
        codes = codes ^ (1 << (bits - 1))
    folds = [
        (row[f : f + pe], code[f : f + pe])
        for row, code in zip(acc, codes, strict=True)
        for f in range(0, acc.shape[1], pe)
    ]
    due: dict[int, int] = {}  # cycle -> beat
    cycle = next_fold = 0
    while folds or due:
        dut.acc_valid_i.value = 0
        dut.acc_data_i.value = rng.getrandbits(pe * p["AccWidth"])
        if folds and cycle >= next_fold and rng.random() >= wait:
            values, code = folds.pop(0)
            dut.acc_valid_i.value = 1
            dut.acc_data_i.value = pack(values, p["AccWidth"])
            next_fold = cycle + cycles
            for k, beat in enumerate(to_plane_beats(code, bits, tpe)):
                due[cycle + 2 + k] = beat
        await FallingEdge(dut.clk_i)
        cycle += 1
        beat = due.pop(cycle, None)
        assert bool(dut.out_valid_o.value) == (beat is not None), cycle
        if beat is not None:
            assert int(dut.out_data_o.value) == beat, cycle


async def resets(dut, p: dict, thresholds: np.ndarray) -> None:
    """A reset in mid-fold leaves no trace."""
    for cycles in (1, 2, 4):
        dut.acc_valid_i.value = 1
        dut.acc_data_i.value = 1
        await FallingEdge(dut.clk_i)
        dut.acc_valid_i.value = 0
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        await reset(dut)
        assert dut.out_valid_o.value == 0
        acc = accumulators(p, thresholds, 4, seed=cycles)
        await run(dut, p, thresholds, acc, wait=0.0)
