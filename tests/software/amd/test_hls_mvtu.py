"""The C++ matrix-vector unit on the layers of the RTL's benches: beats and trips."""

import pytest
from hls_units import Ran, Unit, run_units
from mvtu_cases import CASES
from mvtu_layer import Case

pytestmark = pytest.mark.slow

VECTORS = 7  # of a frame
FRAMES = 2


def unit_of(name: str, case: Case) -> Unit:
    out = (
        f"vec<ap_int<{case.acc_width}>, {case.pe}>" if not case.out_bits else f"ap_uint<{case.tpe}>"
    )
    beats = [
        beat for row in case.inputs_of(VECTORS * FRAMES, seed=1) for beat in case.in_beats(row)
    ]
    return Unit(
        name=name,
        module="bf_mvtu",
        parameters=case.parameters(),
        call="bf_mvtu<{P}>({in0}, {out0}, {frames})",
        inputs=[(f"ap_uint<{case.group}>", beats)],
        outputs=[out],
        loops=["vecbuf_loop", "mvu_loop", "results_loop"],
        frames=FRAMES,
        more={"FrameVectors": VECTORS},
    )


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    return run_units("mvtu", [unit_of(name, case) for name, case in CASES.items()])


@pytest.mark.parametrize("name", list(CASES))
def test_beats_equal_golden(name: str, ran: dict[str, Ran]) -> None:
    case = CASES[name]
    golden = case.golden(case.inputs_of(VECTORS * FRAMES, seed=1))
    if case.out_bits:
        wanted = [beat for row in golden for beat in case.out_beats(row)]
    else:
        wanted = golden.reshape(-1).tolist()
    assert ran[name].outputs == [wanted]


@pytest.mark.parametrize("name", list(CASES))
def test_loops_go_round_as_often_as_the_cost_model_says(name: str, ran: dict[str, Ran]) -> None:
    case, vectors = CASES[name], VECTORS * FRAMES
    product = case.timing.folds * case.timing.product
    beats = len(case.in_beats(case.inputs_of(1, seed=1)[0]))
    assert ran[name].trips == {
        "vecbuf_loop": vectors * max(product, beats) + min(product, beats),
        "mvu_loop": vectors * product,
        "results_loop": vectors * case.timing.folds * case.timing.search,
    }
