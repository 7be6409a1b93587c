"""Random networks: integers and cycles are the model's. `scripts/fuzz` runs many more."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.ir.ops import Dense, Threshold, Weights
from bitfold.sim.verify import verify_design
from integer_graphs import ChainBuilder
from random_graphs import prove

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_integers_and_cycles(seed: int, tmp_path: Path, verilator_cache: Path) -> None:
    proof, stages = prove(seed, tmp_path, verilator_cache)
    assert proof.outputs > 0
    assert stages > 2


def test_sums_of_zero_and_minus_one(tmp_path: Path, verilator_cache: Path) -> None:
    """Shrunk from two random networks: sums that one bit holds, behind products and as outputs."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((2,), 1)
    weights = np.array([[-1, 0], [0, -1], [0, 0]])
    b.add("first", Dense("in", Weights(weights, 1)))
    b.add("codes", Threshold("first", np.array([[0], [0], [1]]), 1))
    b.add("last", Dense("codes", Weights(np.array([[0, -1, 0], [0, 0, 0]]), 1)))
    graph = run_pipeline(b.graph())
    assert graph.node("last").type.bits == 1
    compile_graph(graph, tmp_path / "design", source={"file": "small", "sha256": ""}, fps=1000)
    proof = verify_design(tmp_path / "design", frames=4, protocol_frames=2, cache=verilator_cache)
    assert proof.exact
