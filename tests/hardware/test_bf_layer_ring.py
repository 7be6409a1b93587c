import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("modes", "ring", "layers"), [(2, 2, 1), (3, 4, 5), (256, 8, 3)], ids=["least", "odd", "most"]
)
def test_a_frame_keeps_the_choices_that_it_entered_with(modes: int, ring: int, layers: int) -> None:
    bench("bf_layer_ring", Modes=modes, Ring=ring, Layers=layers)
