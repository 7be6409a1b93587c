"""cocotb bench of bf_mvu: accumulators against the matrix product, and when they come."""

import json
import os
import random

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from mvtu_cases import mvu_case_of
from mvtu_layer import Case
from streams import reset, start

from bitfold.sim.reference import issues, values_to_codes, vecbuf_words

CASE = mvu_case_of(json.loads(os.environ["BITFOLD_PARAMETERS"]))


def quiet(dut) -> None:
    for name in ("valid", "first", "last", "shift", "act_sign", "weight_sign", "weight_addr"):
        getattr(dut, f"issue_{name}_i").value = 0
    dut.act_i.value = 0


def packed(values: np.ndarray, width: int) -> int:
    return sum((int(v) & ((1 << width) - 1)) << i * width for i, v in enumerate(values))


async def run(dut, case: Case, x: np.ndarray, wait: float, seed: int) -> None:
    """Issue the vectors, with pauses; accumulators come dot_latency + 1 + MemRegister later."""
    rng = random.Random(seed)
    steps = case.steps
    plan = list(
        issues(steps, folds=case.timing.folds, words=case.inputs // case.simd, banks=1, slot=0)
    )
    todo: list = []
    for row in x:
        acc = row @ case.matrix.T
        codes = values_to_codes(row, case.planes, bipolar=case.act == "bipolar")
        words = vecbuf_words(codes, case.planes, case.simd, case.ap, signed=case.act == "signed")
        fold = 0
        for issue in plan:
            sf, ag = divmod(issue.act_addr, len(words))
            result = None
            if issue.last:
                result = packed(acc[fold * case.pe : (fold + 1) * case.pe], case.acc_width)
                fold += 1
            todo.append((issue, words[ag][sf], result))
    due: dict[int, int] = {}
    cycle, act = 0, 0
    while todo or due:
        dut.issue_valid_i.value = 0
        dut.act_i.value = act
        act = rng.getrandbits(case.ap * case.simd)  # after a pause: rubbish
        if todo and rng.random() >= wait:
            issue, act, result = todo.pop(0)
            dut.issue_valid_i.value = 1
            for name in ("first", "last", "shift", "act_sign", "weight_sign", "weight_addr"):
                getattr(dut, f"issue_{name}_i").value = int(getattr(issue, name))
            if result is not None:
                due[cycle + 1 + case.register + case.timing.dot_latency] = result
        await FallingEdge(dut.clk_i)
        cycle += 1
        result = due.pop(cycle, None)
        assert bool(dut.acc_valid_o.value) == (result is not None), cycle
        if result is not None:
            assert int(dut.acc_data_o.value) == result, cycle


@cocotb.test()
async def accumulators_equal_the_product(dut):
    quiet(dut)
    await start(dut)
    for wait in (0.0, 0.5):
        await run(dut, CASE, CASE.inputs_of(10, seed=5), wait, seed=6)
    # A reset drops what is on its way.
    dut.issue_valid_i.value = 1
    dut.issue_last_i.value = 1
    await FallingEdge(dut.clk_i)
    await reset(dut)
    dut.issue_valid_i.value = 0
    await run(dut, CASE, CASE.inputs_of(4, seed=7), 0.0, seed=8)
