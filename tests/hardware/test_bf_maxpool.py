import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("group", "beats", "planes", "signed", "positions", "held"),
    [
        (8, 8, 4, 0, 4, 2),
        (16, 6, 3, 1, 4, 2),
        (1, 4, 4, 1, 9, 1),
        (5, 1, 1, 0, 2, 2),
        (3, 8, 8, 1, 6, 3),
        (1, 1, 1, 1, 1, 2),
    ],
)
def test_maximum_and_its_cycles(
    *, group: int, beats: int, planes: int, signed: int, positions: int, held: int
) -> None:
    bench(
        "bf_maxpool",
        Group=group,
        Beats=beats,
        Planes=planes,
        Signed=f"1'b{signed}",
        Positions=positions,
        OutVectors=held,
    )
