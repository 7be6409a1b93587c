"""cocotb bench of bf_mvtu behind its ports: what it derives from its table of steps."""

import json
import os

import cocotb
from mvtu_cases import case_of

CASE = case_of(json.loads(os.environ["BITFOLD_PARAMETERS"]))


@cocotb.test()
async def a_last_step_costs_inverters_only_where_it_subtracts(dut):
    assert int(dut.LAST_NEGATIVE.value) == CASE.last_negative
    assert int(dut.i_product.i_dot.LastNegative.value) == CASE.last_negative
