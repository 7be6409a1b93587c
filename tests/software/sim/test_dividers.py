"""Networks whose codes are divisions: the accelerator's integers and cycles are the model's."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.sim.verify import verify_design
from branch_graphs import Branches

pytestmark = pytest.mark.rtl


def test_accelerator_with_dividers_gives_the_models_integers(tmp_path: Path, verilator_cache: Path):
    """Products, a depthwise layer, a sum, signed codes, one word for all channels."""
    b = Branches(np.random.default_rng(4))
    rng = np.random.default_rng(5)
    x = b.line(b.conv(b.input((2, 6, 6), 8), 4, 3, 4), 8, False, rng)
    y = b.line(b.conv(x, 4, 3, 3, groups=4), 7, True, rng)
    z = b.line(b.sum(x, y), 8, True, rng, floor=True)
    b.dense(b.line(b.sum_pool(z), 8, False, rng), 5)
    graph = run_pipeline(b.graph())
    design = compile_graph(
        graph, tmp_path / "design", source={"file": "lines", "sha256": ""}, fps=10_000
    )
    units = [s for s in design.stages if getattr(s, "divider", None) is not None]
    assert len(units) >= 4
    assert any(s.divider.half for s in units)
    proof = verify_design(tmp_path / "design", frames=6, protocol_frames=3, cache=verilator_cache)
    assert proof.exact
