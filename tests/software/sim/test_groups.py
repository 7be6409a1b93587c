"""Convolutions in groups: the accelerator multiplies no zeros where the streams let it."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import Design
from bitfold.compiler.modes import Mode
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.truncate import truncated
from bitfold.cost.units import Mvtu
from bitfold.ir import Graph
from bitfold.sim.verify import verify_design
from integer_graphs import ChainBuilder

pytestmark = pytest.mark.rtl


def grouped() -> Graph:
    """Groups of several channels, of one channel with several outputs each, of pixels alone."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 6, 5), 3)
    b.conv("stem", 8, (1, 1), 3)
    b.thresholds("q", 3)
    b.conv("four", 12, (3, 2), 3, groups=4, pads=(1, 1, 1, 0), stride=(1, 2))
    b.thresholds("q_four", 2, signed=True)
    b.conv("two", 12, (2, 2), 2, groups=2, dilation=(2, 1), bipolar=True)
    b.thresholds("q_two", 3)
    b.conv("many", 24, (1, 1), 3, groups=12)
    b.thresholds("q_many", 2)
    b.conv("last", 6, (1, 1), 4, groups=3)
    return b.graph()


def blocks(design: Design) -> dict[str, int]:
    return {s.name: s.blocks for s in design.stages if isinstance(s, Mvtu)}


@pytest.mark.parametrize(
    ("fps", "most"),
    [
        (2_000, {"four": 4, "two": 2}),
        # Two groups together, for only half the channels of a beat are a group's.
        (60_000, {"four": 2, "two": 2}),
    ],
)
def test_integers_and_cycles(
    fps: int, most: dict[str, int], tmp_path: Path, verilator_cache: Path
) -> None:
    graph = run_pipeline(grouped())
    design = compile_graph(graph, tmp_path / "design", source={"file": "grouped"}, fps=fps)
    assert blocks(design).items() >= most.items()
    verified = verify_design(
        tmp_path / "design", frames=6, protocol_frames=3, cache=verilator_cache
    )
    assert verified.exact


def test_groups_lose_planes_at_run_time(tmp_path: Path, verilator_cache: Path) -> None:
    graph = run_pipeline(grouped(), flips=True)
    planes = {"four": (2, 2), "last": (1, 1)}
    modes = [Mode(name=str(i), graph=truncated(graph, p)) for i, p in enumerate(({}, planes))]
    folder = tmp_path / "design"
    design = compile_graph(graph, folder, source={"file": "grouped"}, modes=modes, fps=5_000)
    assert max(blocks(design).values()) > 1
    assert verify_design(folder, frames=16, protocol_frames=3, cache=verilator_cache).exact
