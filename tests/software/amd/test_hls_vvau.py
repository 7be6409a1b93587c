"""The C++ vector unit on the layers of the RTL's bench: beats and trips."""

import pytest
from hls_units import Ran, Unit, run_units
from vvau_layer import CASES, Case

pytestmark = pytest.mark.slow

VECTORS, FRAMES = 6, 2


def unit_of(name: str, case: Case) -> Unit:
    final = f"vec<ap_int<{case.acc_width}>, {case.group}>"
    x = case.inputs_of(VECTORS * FRAMES, seed=1)
    return Unit(
        name=name,
        module="bf_vvau",
        parameters=case.parameters(),
        call="bf_vvau<{P}>({in0}, {out0}, {frames})",
        inputs=[(f"ap_uint<{case.group}>", [beat for row in x for beat in case.in_beats(row)])],
        outputs=[f"ap_uint<{case.tpe}>" if case.out_bits else final],
        loops=["vvau_loop", "results_loop"],
        frames=FRAMES,
        more={"FrameVectors": VECTORS},
    )


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    return run_units("vvau", [unit_of(name, case) for name, case in CASES.items()])


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
    stage, vectors = CASES[name].stage, VECTORS * FRAMES
    assert ran[name].trips == {
        "vvau_loop": vectors * stage.in_beats,
        "results_loop": vectors * stage.out_beats,
    }
    assert max(ran[name].trips.values()) == vectors * stage.vector_cycles
