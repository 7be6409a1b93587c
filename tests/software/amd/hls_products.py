"""What the C++ tests of bf_mvtu and bf_vvau share: a unit on a layer of the RTL's benches."""

from collections.abc import Sequence

import mvtu_layer
import vvau_layer
from hls_units import Unit

FRAMES = 2
Case = mvtu_layer.Case | vvau_layer.Case


def product_unit(
    name: str, module: str, case: Case, *, vectors: int, lanes: int, loops: Sequence[str]
) -> Unit:
    """FRAMES frames of so many random vectors; lanes: results of a word where there are sums."""
    x = case.inputs_of(vectors * FRAMES, seed=1)
    sums = f"vec<ap_int<{case.acc_width}>, {lanes}>"
    return Unit(
        name=name,
        module=module,
        parameters=case.parameters(),
        call=f"{module}<{{P}}>({{in0}}, {{out0}}, {{frames}})",
        inputs=[(f"ap_uint<{case.group}>", [beat for row in x for beat in case.in_beats(row)])],
        outputs=[f"ap_uint<{case.tpe}>" if case.out_bits else sums],
        loops=loops,
        frames=FRAMES,
        more={"FrameVectors": vectors},
    )


def golden_beats(case: Case, vectors: int) -> list[int]:
    """What must come out: beats of planes, or sums."""
    golden = case.golden(case.inputs_of(vectors * FRAMES, seed=1))
    if case.out_bits:
        return [beat for row in golden for beat in case.out_beats(row)]
    return golden.reshape(-1).tolist()
