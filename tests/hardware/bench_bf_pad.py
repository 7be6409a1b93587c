"""cocotb bench of bf_pad: the padded map under random stalls, and every pixel's exact cycle."""

import random

import cocotb
from bench_moves import begin, compare_after_resets, compare_cycles, compare_under_stalls
from planes import flat, padding, random_map, windows
from streams import idle, parameters

from bitfold.cost.schedule_moves import PadSchedule
from bitfold.cost.stages import Pad

P = parameters()
STAGE = Pad(
    name="dut",
    group=P["Group"],
    beats=P["Beats"],
    height=P["Height"],
    width=P["Width"],
    pads=tuple(P.get(f"Pad{side}", 0) for side in ("Top", "Left", "Bottom", "Right")),
)


def frames(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Beats in, beats out: a padded map is its windows of one pixel."""
    rng, size = random.Random(seed), (STAGE.height, STAGE.width)
    zeros = padding(STAGE.beats, STAGE.group, 1, False)
    given, wanted = [], []
    for _ in range(count):
        pixels = random_map(rng, size[0] * size[1], STAGE.beats, STAGE.group)
        given += flat(pixels)
        wanted += flat(
            windows(pixels, size, kernel=(1, 1), stride=(1, 1), pads=STAGE.pads, pad=zeros)
        )
    return given, wanted


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
