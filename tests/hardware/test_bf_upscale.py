import pytest
from harness import bench

pytestmark = pytest.mark.rtl

# group, beats of a pixel (channels / group * 2 planes), width, factors, split, run
SHAPES = {
    "nearest_2x2": (4, 4, 4, (2, 2), 0, 4),
    "nearest_across": (3, 2, 5, (1, 3), 0, 2),
    "nearest_down": (1, 6, 1, (3, 1), 0, 6),
    "copy": (2, 2, 3, (1, 1), 0, 2),
    "dcr": (2, 16, 3, (2, 2), 1, 4),
    "dcr_one_group": (4, 18, 2, (3, 3), 1, 2),
    "crd": (1, 24, 3, (2, 2), 1, 2),
    "crd_3": (1, 36, 1, (3, 3), 1, 2),
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_pixels_and_their_cycles(shape: str) -> None:
    group, beats, width, factor, split, run = SHAPES[shape]
    bench(
        "bf_upscale",
        Group=group,
        Beats=beats,
        Width=width,
        FactorH=factor[0],
        FactorW=factor[1],
        Split=f"1'b{split}",
        Run=run,
    )
