"""cocotb bench of bf_pad: the padded map under random stalls, and every pixel's exact cycle."""

from functools import partial

import cocotb
from bench_moves import begin, compare_after_resets, compare_cycles, compare_under_stalls
from move_cases import pad_frames, pad_stage
from streams import idle, parameters

from bitfold.cost.schedule_moves import PadSchedule

STAGE = pad_stage(parameters())
frames = partial(pad_frames, STAGE)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    await compare_under_stalls(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await compare_after_resets(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_pixel_leaves_in_its_cycle(dut):
    await compare_cycles(dut, PadSchedule(STAGE), frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def offers_nothing_before_a_pixel_came(dut):
    await begin(dut)
    dut.out_ready_i.value = 1
    for _ in range(9):
        await idle(dut, 1)
        assert dut.out_valid_o.value == 0
