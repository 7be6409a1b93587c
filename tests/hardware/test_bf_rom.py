import random

import pytest
from harness import bench
from mvtu_layer import write_image

from bitfold.sim.reference import to_mem

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (7, 5), (200, 72)])
def test_reads_the_image(width: int, depth: int) -> None:
    rng = random.Random(depth)
    image = to_mem([rng.getrandbits(width) for _ in range(depth)], width)
    bench("bf_rom", Width=width, Depth=depth, File=write_image(image))
