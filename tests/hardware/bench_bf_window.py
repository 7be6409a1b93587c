"""cocotb bench of bf_window: contents under random stalls, and every window's exact cycle."""

import random

import cocotb
from bench_moves import compare_after_resets, compare_cycles, compare_under_stalls
from planes import flat, padding, random_map, windows
from streams import parameters

from bitfold.cost.schedule_window import WindowSchedule
from bitfold.cost.stages import Window

P = parameters()
STAGE = Window(
    name="dut",
    group=P["Group"],
    beats=P["Beats"],
    planes=P.get("Planes", 1),
    height=P["Height"],
    width=P["Width"],
    kernel=(P["KernelH"], P["KernelW"]),
    stride=(P["StrideH"], P["StrideW"]),
    pads=tuple(P.get(f"Pad{side}", 0) for side in ("Top", "Left", "Bottom", "Right")),
    dilation=(P.get("DilationH", 1), P.get("DilationW", 1)),
    pad_sign=bool(P.get("PadSign", 0)),
)


def frames(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Beats in, beats out."""
    rng, size = random.Random(seed), (STAGE.height, STAGE.width)
    pad = padding(STAGE.beats, STAGE.group, STAGE.planes, STAGE.pad_sign)
    given, wanted = [], []
    for _ in range(count):
        pixels = random_map(rng, size[0] * size[1], STAGE.beats, STAGE.group)
        given += flat(pixels)
        wanted += flat(
            windows(
                pixels,
                size,
                kernel=STAGE.kernel,
                stride=STAGE.stride,
                pads=STAGE.pads,
                pad=pad,
                dilation=STAGE.dilation,
            )
        )
    return given, wanted


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    await compare_under_stalls(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await compare_after_resets(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_window_leaves_in_its_cycle(dut):
    await compare_cycles(dut, WindowSchedule(STAGE), frames)
