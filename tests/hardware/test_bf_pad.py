import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("group", "beats", "size", "pads"),
    [
        (4, 3, (3, 4), (1, 1, 1, 1)),
        (1, 1, (2, 3), (2, 0, 0, 3)),
        (3, 2, (3, 2), (0, 3, 1, 0)),
        (2, 4, (1, 1), (0, 0, 1, 1)),
        (5, 1, (2, 2), (0, 0, 0, 0)),
    ],
)
def test_padded_map_and_its_cycles(
    group: int, beats: int, size: tuple[int, int], pads: tuple[int, int, int, int]
) -> None:
    bench(
        "bf_pad",
        Group=group,
        Beats=beats,
        Height=size[0],
        Width=size[1],
        PadTop=pads[0],
        PadLeft=pads[1],
        PadBottom=pads[2],
        PadRight=pads[3],
    )
