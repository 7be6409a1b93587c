import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("items", "width", "outputs", "signed"),
    [(1, 32, 10, 1), (5, 13, 10, 1), (2, 4, 2, 0), (4, 17, 12, 1), (1, 1, 1, 0)],
)
def test_integers_tlast_and_cycles(items: int, width: int, outputs: int, signed: int) -> None:
    bench("bf_axis_out", Items=items, Width=width, Outputs=outputs, Signed=f"1'b{signed}")
