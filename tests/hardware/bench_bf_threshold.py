"""cocotb bench of bf_threshold: codes against counted thresholds, and the cycle of every beat."""

import cocotb
from code_beats import resets, run
from streams import parameters, start
from threshold_cases import accumulators, thresholds_of


@cocotb.test()
async def codes_equal_golden_and_come_in_their_cycles(dut):
    p = parameters()
    thresholds = thresholds_of(p)
    dut.acc_valid_i.value = 0
    await start(dut)
    for wait in (0.0, 0.7):
        acc = accumulators(p, thresholds, 60, seed=3)
        await run(dut, p, thresholds, acc, wait=wait)


@cocotb.test()
async def reset_in_mid_fold_leaves_no_trace(dut):
    p = parameters()
    dut.acc_valid_i.value = 0
    await start(dut)
    await resets(dut, p, thresholds_of(p))
