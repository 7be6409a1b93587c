import pytest
from harness import bench
from move_cases import POOLS

pytestmark = pytest.mark.rtl

HELD = (2, 2, 1, 2, 3, 2)  # OutVectors of each


@pytest.mark.parametrize(("shape", "held"), list(zip(POOLS, HELD, strict=True)), ids=str)
def test_maximum_and_its_cycles(shape: tuple[int, ...], held: int) -> None:
    group, beats, planes, signed, positions = shape
    bench(
        "bf_maxpool",
        Group=group,
        Beats=beats,
        Planes=planes,
        Signed=f"1'b{signed}",
        Positions=positions,
        OutVectors=held,
    )
