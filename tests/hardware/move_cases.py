"""Shapes of the modules that move pixels, and what their benches send and expect."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
from planes import flat, padding, random_map, to_planes, windows

from bitfold.cost.stages import Pad, Upscale, Window
from bitfold.ir.ops import DepthToSpace, Upsample

Frames = tuple[list[int], list[int]]  # beats in, beats out
SIDES = ("Top", "Left", "Bottom", "Right")

# name: group, beats, map, kernel, stride, pads (top, left, bottom, right), planes, pad sign
WINDOWS = {
    "same_3x3": (4, 2, (5, 4), (3, 3), (1, 1), (1, 1, 1, 1), 2, 0),
    "valid_3x3": (3, 1, (5, 6), (3, 3), (1, 1), (0, 0, 0, 0), 1, 0),
    "strided_asymmetric": (2, 3, (7, 6), (3, 2), (2, 1), (2, 0, 1, 1), 3, 0),
    "leftover_row_and_column": (2, 2, (6, 7), (3, 2), (2, 3), (0, 0, 0, 0), 1, 0),
    "skips_rows_and_columns": (3, 1, (8, 7), (1, 2), (3, 4), (0, 0, 0, 0), 1, 0),
    "one_by_one": (1, 1, (3, 4), (1, 1), (1, 1), (0, 0, 0, 0), 1, 0),
    "one_by_one_strided": (5, 2, (5, 5), (1, 1), (2, 2), (0, 0, 0, 0), 1, 0),
    "pool_2x2": (4, 4, (4, 6), (2, 2), (2, 2), (0, 0, 0, 0), 4, 0),
    "pool_signed_pads": (3, 4, (5, 5), (3, 3), (2, 2), (1, 1, 1, 1), 2, 1),
    "whole_map": (2, 1, (4, 3), (4, 3), (1, 1), (0, 0, 0, 0), 1, 0),
    "kernel_above_map": (2, 2, (2, 3), (5, 4), (1, 2), (2, 2, 3, 1), 1, 0),
    "one_column": (2, 3, (6, 1), (3, 1), (2, 1), (2, 0, 2, 0), 1, 0),
    "one_row": (2, 1, (1, 9), (1, 3), (1, 2), (0, 2, 0, 0), 1, 0),
}

# The same, and dilation.
APART = {
    "same_3x3_apart": ((3, 2, (7, 6), (3, 3), (1, 1), (2, 2, 2, 2), 1, 0), (2, 2)),
    "rows_apart": ((2, 3, (8, 4), (3, 2), (2, 1), (1, 0, 4, 1), 3, 1), (3, 1)),
    "columns_apart": ((1, 1, (3, 9), (2, 3), (1, 2), (0, 3, 1, 2), 1, 0), (1, 3)),
    "apart_above_map": ((2, 2, (3, 3), (2, 3), (1, 1), (2, 3, 1, 2), 1, 0), (3, 2)),
}

# group, beats of a pixel (channels / group * 2 planes), width, factors, split, run
UPSCALES = {
    "nearest_2x2": (4, 4, 4, (2, 2), 0, 4),
    "nearest_across": (3, 2, 5, (1, 3), 0, 2),
    "nearest_down": (1, 6, 1, (3, 1), 0, 6),
    "copy": (2, 2, 3, (1, 1), 0, 2),
    "dcr": (2, 16, 3, (2, 2), 1, 4),
    "dcr_one_group": (4, 18, 2, (3, 3), 1, 2),
    "crd": (1, 24, 3, (2, 2), 1, 2),
    "crd_3": (1, 36, 1, (3, 3), 1, 2),
}

# group, beats of a pixel, map, pads
PADS = [
    (4, 3, (3, 4), (1, 1, 1, 1)),
    (1, 1, (2, 3), (2, 0, 0, 3)),
    (3, 2, (3, 2), (0, 3, 1, 0)),
    (2, 4, (1, 1), (0, 0, 1, 1)),
    (5, 1, (2, 2), (0, 0, 0, 0)),
]

# group, beats, planes, signed, positions
POOLS = [
    (8, 8, 4, 0, 4),
    (16, 6, 3, 1, 4),
    (1, 4, 4, 1, 9),
    (5, 1, 1, 0, 2),
    (3, 8, 8, 1, 6),
    (1, 1, 1, 1, 1),
]

UPSCALE_PLANES, UPSCALE_HEIGHT = 2, 3


def window_parameters(shape: tuple, dilation: tuple[int, int]) -> dict[str, int | str]:
    """Of bf_window."""
    group, beats, size, kernel, stride, pads, planes, sign = shape
    return {
        "Group": group,
        "Beats": beats,
        "Height": size[0],
        "Width": size[1],
        "KernelH": kernel[0],
        "KernelW": kernel[1],
        "StrideH": stride[0],
        "StrideW": stride[1],
        "DilationH": dilation[0],
        "DilationW": dilation[1],
        "PadTop": pads[0],
        "PadLeft": pads[1],
        "PadBottom": pads[2],
        "PadRight": pads[3],
        "Planes": planes,
        "PadSign": f"1'b{sign}",
    }


def window_stage(p: Mapping[str, Any]) -> Window:
    """The stage that a bench was built for."""
    return Window(
        name="dut",
        group=p["Group"],
        beats=p["Beats"],
        planes=p.get("Planes", 1),
        height=p["Height"],
        width=p["Width"],
        kernel=(p["KernelH"], p["KernelW"]),
        stride=(p["StrideH"], p["StrideW"]),
        pads=tuple(p.get(f"Pad{side}", 0) for side in SIDES),
        dilation=(p.get("DilationH", 1), p.get("DilationW", 1)),
        pad_sign=bool(p.get("PadSign", 0)),
    )


def window_frames(stage: Window, count: int, seed: int) -> Frames:
    """Maps, and all their windows."""
    rng, size = random.Random(seed), (stage.height, stage.width)
    pad = padding(stage.beats, stage.group, stage.planes, stage.pad_sign)
    given, wanted = [], []
    for _ in range(count):
        pixels = random_map(rng, size[0] * size[1], stage.beats, stage.group)
        given += flat(pixels)
        wanted += flat(
            windows(
                pixels,
                size,
                kernel=stage.kernel,
                stride=stage.stride,
                pads=stage.pads,
                pad=pad,
                dilation=stage.dilation,
            )
        )
    return given, wanted


def pad_parameters(shape: tuple) -> dict[str, int | str]:
    """Of bf_pad."""
    group, beats, size, pads = shape
    sides = {f"Pad{side}": pad for side, pad in zip(SIDES, pads, strict=True)}
    return {"Group": group, "Beats": beats, "Height": size[0], "Width": size[1], **sides}


def pad_stage(p: Mapping[str, Any]) -> Pad:
    """The stage that a bench was built for."""
    return Pad(
        name="dut",
        group=p["Group"],
        beats=p["Beats"],
        height=p["Height"],
        width=p["Width"],
        pads=tuple(p.get(f"Pad{side}", 0) for side in SIDES),
    )


def pad_frames(stage: Pad, count: int, seed: int) -> Frames:
    """Maps, and the padded ones: their windows of one pixel."""
    rng, size = random.Random(seed), (stage.height, stage.width)
    zeros = padding(stage.beats, stage.group, 1, False)
    given, wanted = [], []
    for _ in range(count):
        pixels = random_map(rng, size[0] * size[1], stage.beats, stage.group)
        given += flat(pixels)
        wanted += flat(
            windows(pixels, size, kernel=(1, 1), stride=(1, 1), pads=stage.pads, pad=zeros)
        )
    return given, wanted


def upscale_parameters(shape: tuple) -> dict[str, int | str]:
    """Of bf_upscale."""
    group, beats, width, factor, split, run = shape
    return {
        "Group": group,
        "Beats": beats,
        "Width": width,
        "FactorH": factor[0],
        "FactorW": factor[1],
        "Split": f"1'b{split}",
        "Run": run,
    }


def upscale_stage(p: Mapping[str, Any]) -> Upscale:
    """The stage that a bench was built for."""
    return Upscale(
        name="dut",
        group=p["Group"],
        beats=p["Beats"],
        height=UPSCALE_HEIGHT,
        width=p["Width"],
        factor=(p["FactorH"], p["FactorW"]),
        split=bool(p.get("Split", 0)),
        run=p["Run"],
    )


def upscale_frames(stage: Upscale, count: int, seed: int) -> Frames:
    """Maps, and what the graph's own operations make of them."""
    mode = "DCR" if stage.run == stage.out_beats else "CRD"
    op = DepthToSpace("x", stage.factor[0], mode) if stage.split else Upsample("x", stage.factor)
    channels = stage.beats // UPSCALE_PLANES * stage.group
    shape = (count, channels, stage.height, stage.width)
    x = np.random.default_rng(seed).integers(0, 1 << UPSCALE_PLANES, shape)
    return _map_beats(x, stage.group), _map_beats(op.run(x), stage.group)


def _map_beats(pixels: np.ndarray, group: int) -> list[int]:
    """Maps (N, C, H, W) as a plane stream."""
    rows = pixels.transpose(0, 2, 3, 1).reshape(-1, pixels.shape[1])
    return [beat for pixel in rows.tolist() for beat in to_planes(pixel, group, UPSCALE_PLANES)]


def pool_windows(p: Mapping[str, Any], count: int, seed: int) -> Frames:
    """Windows, and their greatest. Few distinct values now and then, so that ties occur."""
    rng = random.Random(seed)
    group, planes, signed = p["Group"], p["Planes"], bool(p["Signed"])
    channels = p["Beats"] // planes * group
    low = -(1 << (planes - 1)) if signed else 0
    high = low + (1 << planes) - 1
    given, wanted = [], []
    for number in range(count):
        narrow = number % 3 == 0
        pixels = [
            [
                rng.choice((low, high, 0 if low else 1)) if narrow else rng.randint(low, high)
                for _ in range(channels)
            ]
            for _ in range(p["Positions"])
        ]
        given += flat([to_planes(pixel, group, planes) for pixel in pixels])
        wanted += to_planes([max(column) for column in zip(*pixels, strict=True)], group, planes)
    return given, wanted
