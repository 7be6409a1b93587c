"""cocotb bench of bf_upscale: pixels against the graph's own operations, and their exact cycles."""

import cocotb
import numpy as np
from bench_moves import compare_after_resets, compare_cycles, compare_under_stalls
from planes import to_planes
from streams import parameters

from bitfold.cost.schedule_moves import UpscaleSchedule
from bitfold.cost.stages import Upscale
from bitfold.ir.ops import DepthToSpace, Upsample

P = parameters()
GROUP, FACTOR, SPLIT = P["Group"], (P["FactorH"], P["FactorW"]), bool(P.get("Split", 0))
PLANES, HEIGHT = 2, 3
CHANNELS = P["Beats"] // PLANES * GROUP
STAGE = Upscale(
    name="dut",
    group=GROUP,
    beats=P["Beats"],
    height=HEIGHT,
    width=P["Width"],
    factor=FACTOR,
    split=SPLIT,
    run=P["Run"],
)
MODE = "DCR" if STAGE.run == STAGE.out_beats else "CRD"


def beats(pixels: np.ndarray) -> list[int]:
    """Maps (N, C, H, W) as a plane stream."""
    rows = pixels.transpose(0, 2, 3, 1).reshape(-1, pixels.shape[1])
    return [beat for pixel in rows.tolist() for beat in to_planes(pixel, GROUP, PLANES)]


def frames(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Beats in, beats out."""
    op = DepthToSpace("x", FACTOR[0], MODE) if SPLIT else Upsample("x", FACTOR)
    shape = (count, CHANNELS, HEIGHT, STAGE.width)
    x = np.random.default_rng(seed).integers(0, 1 << PLANES, shape)
    return beats(x), beats(op.run(x))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def equals_golden_under_random_stalls(dut):
    await compare_under_stalls(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def starts_afresh_after_reset_in_mid_frame(dut):
    await compare_after_resets(dut, frames)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_pixel_leaves_in_its_cycle(dut):
    await compare_cycles(dut, UpscaleSchedule(STAGE), frames)
