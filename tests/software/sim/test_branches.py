"""Networks whose streams part and meet: the accelerator's integers and cycles are the model's."""

from pathlib import Path

import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.sim.verify import verify_design
from branch_graphs import GRAPHS, zeros_first

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("name", list(GRAPHS))
@pytest.mark.parametrize("fps", [2_000, 20_000])
def test_integers_and_cycles(name: str, fps: int, tmp_path: Path, verilator_cache: Path) -> None:
    graph = run_pipeline(GRAPHS[name]())
    compile_graph(graph, tmp_path / "design", source={"file": name, "sha256": ""}, fps=fps)
    verified = verify_design(
        tmp_path / "design", frames=12, protocol_frames=4, cache=verilator_cache
    )
    assert verified.exact


def test_zeros_enter_before_the_first_beat(tmp_path: Path, verilator_cache: Path) -> None:
    graph = run_pipeline(zeros_first())
    compile_graph(graph, tmp_path / "design", source={"file": "zeros", "sha256": ""}, fps=2_000)
    verified = verify_design(
        tmp_path / "design", frames=4, protocol_frames=1, cache=verilator_cache
    )
    assert verified.exact
