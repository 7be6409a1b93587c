import numpy as np
import pytest
from harness import bench
from mvtu_layer import write_image

from bitfold.sim.reference import pack_biases, to_mem

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("pe", "folds", "width", "shift", "has"), [(1, 1, 2, 0, 1), (4, 3, 9, 1, 1), (2, 2, 16, 0, 0)]
)
def test_adds_the_bias_of_the_fold(pe: int, folds: int, width: int, shift: int, has: int) -> None:
    half = 1 << (width - 1)
    bias = np.random.default_rng(1).integers(-half, half, pe * folds)
    image = to_mem(pack_biases(bias, pe=pe, width=width), pe * width)
    bench(
        "bf_bias",
        Pe=pe,
        Folds=folds,
        Width=width,
        Shift=shift,
        HasBias=f"1'b{has}",
        **({"File": write_image(image)} if has else {}),
    )
