import pytest
from harness import bench

pytestmark = pytest.mark.rtl


# group, simd, ap, planes, inputs, signed
SHAPES = {
    "one_word_a_slot": (1, 1, 1, 1, 1, 0),
    "group_below_simd": (4, 8, 1, 3, 72, 0),
    "missing_plane_signed": (8, 8, 2, 3, 24, 1),
    "group_above_simd_missing_plane": (8, 4, 2, 5, 40, 0),
    "three_banks_two_missing_planes": (12, 4, 3, 4, 36, 1),
    "all_planes_at_once": (2, 6, 4, 4, 12, 1),
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_words_equal_golden(shape: str) -> None:
    group, simd, ap, planes, inputs, signed = SHAPES[shape]
    bench(
        "bf_vecbuf",
        GroupIn=group,
        Simd=simd,
        Ap=ap,
        Planes=planes,
        Inputs=inputs,
        ActSigned=f"1'b{signed}",
    )
