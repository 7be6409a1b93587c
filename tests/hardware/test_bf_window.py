import pytest
from harness import bench

pytestmark = pytest.mark.rtl

# name: group, beats, map, kernel, stride, pads (top, left, bottom, right), planes, pad sign
SHAPES = {
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


@pytest.mark.parametrize("shape", list(SHAPES))
def test_windows_and_their_cycles(shape: str) -> None:
    compare(SHAPES[shape], (1, 1))


@pytest.mark.parametrize("shape", list(APART))
def test_windows_of_dilated_kernels_and_their_cycles(shape: str) -> None:
    compare(*APART[shape])


def compare(shape: tuple, dilation: tuple[int, int]) -> None:
    group, beats, size, kernel, stride, pads, planes, sign = shape
    bench(
        "bf_window",
        Group=group,
        Beats=beats,
        Height=size[0],
        Width=size[1],
        KernelH=kernel[0],
        KernelW=kernel[1],
        StrideH=stride[0],
        StrideW=stride[1],
        DilationH=dilation[0],
        DilationW=dilation[1],
        PadTop=pads[0],
        PadLeft=pads[1],
        PadBottom=pads[2],
        PadRight=pads[3],
        Planes=planes,
        PadSign=f"1'b{sign}",
    )
