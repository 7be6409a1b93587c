import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("group", "simd", "ap", "planes", "inputs", "signed"),
    [
        (1, 1, 1, 1, 1, 0),  # the smallest there is: one word a slot
        (4, 8, 1, 3, 72, 0),  # G < Simd, an odd number of words
        (8, 8, 2, 3, 24, 1),  # G = Simd, a missing plane: sign copies
        (8, 4, 2, 5, 40, 0),  # G > Simd, a missing plane: zeros
        (12, 4, 3, 4, 36, 1),  # three banks, two missing planes
        (2, 6, 4, 4, 12, 1),  # all planes at once
    ],
)
def test_words_equal_golden(
    group: int, simd: int, ap: int, planes: int, inputs: int, signed: int
) -> None:
    bench(
        "bf_vecbuf",
        GroupIn=group,
        Simd=simd,
        Ap=ap,
        Planes=planes,
        Inputs=inputs,
        ActSigned=f"1'b{signed}",
    )
