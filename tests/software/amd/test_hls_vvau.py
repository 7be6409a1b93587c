"""The C++ vector unit on the layers of the RTL's bench: beats and trips."""

import pytest
from hls_products import FRAMES, golden_beats, product_unit
from hls_units import Ran, run_units
from vvau_layer import CASES

pytestmark = pytest.mark.slow

VECTORS = 6  # of a frame
LOOPS = ["vvau_loop", "results_loop"]


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    units = [
        product_unit(name, "bf_vvau", case, vectors=VECTORS, lanes=case.group, loops=LOOPS)
        for name, case in CASES.items()
    ]
    return run_units("vvau", units)


@pytest.mark.parametrize("name", list(CASES))
def test_beats_equal_golden(name: str, ran: dict[str, Ran]) -> None:
    assert ran[name].outputs == [golden_beats(CASES[name], VECTORS)]


@pytest.mark.parametrize("name", list(CASES))
def test_loops_go_round_as_often_as_the_cost_model_says(name: str, ran: dict[str, Ran]) -> None:
    stage, vectors = CASES[name].stage, VECTORS * FRAMES
    assert ran[name].trips == {
        "vvau_loop": vectors * stage.in_beats,
        "results_loop": vectors * stage.out_beats,
    }
    assert max(ran[name].trips.values()) == vectors * stage.vector_cycles
