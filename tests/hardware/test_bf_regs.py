import pytest
from harness import bench

from bitfold.compiler.registers import LayerPlanes, pack_planes

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("writable", [0, 1], ids=["fixed", "writable"])
@pytest.mark.parametrize(("modes", "layers"), [(2, 1), (3, 5), (256, 2)], ids=str)
def test_registers_answer_as_the_map_says(modes: int, layers: int, writable: int) -> None:
    # The bench makes the same layers.
    kept = [tuple((1 + (m + i) % 8, 1 + m % 8) for m in range(modes)) for i in range(layers)]
    table = pack_planes([LayerPlanes(name=f"l{i}", kept=k) for i, k in enumerate(kept)])
    bench(
        "bf_regs",
        Modes=modes,
        Layers=layers,
        InsideWidth=4,
        Planes=f"{16 * modes * layers}'h{table:x}",
        Writable=writable,
    )
