"""cocotb bench of bf_mvtu: results equal the golden model, and so does the cycle of every beat."""

import json
import os

import cocotb
from mvtu_cases import case_of
from vector_unit import full_rate, reset_in_between, stalled

CASE = case_of(json.loads(os.environ["BITFOLD_PARAMETERS"]))


@cocotb.test()
async def full_rate_has_no_bubbles(dut):
    await full_rate(dut, CASE)


@cocotb.test()
async def exact_under_stalls(dut):
    await stalled(dut, CASE)


@cocotb.test()
async def reset_in_mid_vector_leaves_no_trace(dut):
    await reset_in_between(dut, CASE)
