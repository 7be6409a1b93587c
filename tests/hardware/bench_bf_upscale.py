"""cocotb bench of bf_upscale: pixels against the graph's own operations, and their exact cycles."""

from functools import partial

import cocotb
from bench_moves import compare_after_resets, compare_cycles, compare_under_stalls
from move_cases import upscale_frames, upscale_stage
from streams import parameters

from bitfold.cost.schedule_moves import UpscaleSchedule

STAGE = upscale_stage(parameters())
frames = partial(upscale_frames, STAGE)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    await compare_under_stalls(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await compare_after_resets(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_pixel_leaves_in_its_cycle(dut):
    await compare_cycles(dut, UpscaleSchedule(STAGE), frames)
