import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("pe", "tpe", "width"), [(4, 2, 12), (1, 1, 1), (6, 3, 5), (3, 1, 4)])
def test_planes_and_their_cycles(pe: int, tpe: int, width: int) -> None:
    bench("bf_planes", Pe=pe, Tpe=tpe, AccWidth=width)
