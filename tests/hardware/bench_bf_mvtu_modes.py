"""cocotb bench of bf_mvtu with modes: results and cycles of frames in different modes, back to
back and under stalls."""

import json
import os

import cocotb
from mode_layer import mode_case_of
from vector_unit import full_rate, reset_in_between, stalled

CASE = mode_case_of(json.loads(os.environ["BITFOLD_PARAMETERS"]))
WIDTH = (len(CASE.kept) - 1).bit_length()
RING = sum(mode << place * WIDTH for place, mode in enumerate(CASE.ring))


@cocotb.test()
async def frames_change_modes_at_full_rate(dut):
    dut.ring_i.value = RING
    await full_rate(dut, CASE)


@cocotb.test()
async def exact_under_stalls(dut):
    dut.ring_i.value = RING
    await stalled(dut, CASE)


@cocotb.test()
async def reset_in_mid_frame_begins_a_frame(dut):
    dut.ring_i.value = RING
    await reset_in_between(dut, CASE)
