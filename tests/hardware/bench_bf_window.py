"""cocotb bench of bf_window: contents under random stalls, and every window's exact cycle."""

from functools import partial

import cocotb
from bench_moves import compare_after_resets, compare_cycles, compare_under_stalls
from move_cases import window_frames, window_stage
from streams import parameters

from bitfold.cost.schedule_window import WindowSchedule

STAGE = window_stage(parameters())
frames = partial(window_frames, STAGE)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    await compare_under_stalls(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await compare_after_resets(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_window_leaves_in_its_cycle(dut):
    await compare_cycles(dut, WindowSchedule(STAGE), frames)
