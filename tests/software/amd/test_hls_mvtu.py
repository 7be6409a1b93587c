"""The C++ matrix-vector unit on the layers of the RTL's benches: beats and trips."""

import pytest
from hls_products import FRAMES, golden_beats, product_unit
from hls_units import Ran, run_units
from mvtu_cases import CASES

pytestmark = pytest.mark.slow

VECTORS = 7  # of a frame
LOOPS = ["vecbuf_loop", "mvu_loop", "results_loop"]


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    units = [
        product_unit(name, "bf_mvtu", case, vectors=VECTORS, lanes=case.pe, loops=LOOPS)
        for name, case in CASES.items()
    ]
    return run_units("mvtu", units)


@pytest.mark.parametrize("name", list(CASES))
def test_beats_equal_golden(name: str, ran: dict[str, Ran]) -> None:
    assert ran[name].outputs == [golden_beats(CASES[name], VECTORS)]


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
