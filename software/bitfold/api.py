"""The public functions of bitfold, as `import bitfold` shows them.

Each imports what it needs when it is called, so that importing bitfold is cheap. Errors are those
of bitfold.errors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitfold.compiler.design import Design
    from bitfold.explore import Explored
    from bitfold.finn.estimate import FinnEstimate
    from bitfold.ir import Graph
    from bitfold.search.progress import Progress
    from bitfold.search.run import SearchResult
    from bitfold.sim.verify import Verification
    from bitfold.synth.flow import SynthResult


def search_bits(run_file: Path, out: Path, progress: Progress | None = None) -> SearchResult:
    """Do the search of a run file in the folder `out`; see bitfold.search.run.search."""
    from bitfold.runfile import read_run
    from bitfold.search.run import search

    return search(read_run(run_file), out, progress)


def read_graph(model: Path) -> Graph:
    """The integer graph that a QONNX file stands for, after all passes: the golden model."""
    from bitfold.compiler.pipeline import run_pipeline
    from bitfold.compiler.read_qonnx import read_qonnx

    return run_pipeline(read_qonnx(model))


def estimate_finn(
    model: Path,
    *,
    home: Path,
    fps: float = 1000.0,
    clock_mhz: float = 100.0,
    board: str = "Pynq-Z1",
    bitserial: str | Sequence[str] = (),
) -> FinnEstimate:
    """FINN's own estimates of a QONNX model; see bitfold.finn.estimate.finn_estimate.

    home: folder of FINN's Python environment, made where it is missing. bitserial: FINN's
    matrix-vector units that bitfold's take the place of, by name; "all"; or "smaller".
    """
    from bitfold.finn.estimate import finn_estimate

    return finn_estimate(
        read_graph(model),
        fps=fps,
        clock_mhz=clock_mhz,
        board=board,
        home=home,
        cache=model.parent / "cache" / "finn",
        bitserial=bitserial,
    )


def estimate(
    model: Path,
    *,
    target: str = "ecp5",
    fps: float | None = None,
    luts: float | None = None,
    brams: float | None = None,
    clock_mhz: float = 50.0,
) -> dict[str, Any]:
    """What a QONNX model would take on a target, folded for a rate or a budget of LUTs and
    block RAMs.

    BitOps, weight bits, LUTs, block RAMs and cycles of each stage and in total, the stages that
    bind the rate, the LUTs that one percent more rate would cost (None where it cannot be), and
    the share of each part of the family. `model` may be the modes.json of a network with precision
    modes: figures then are of the slowest, and `modes` has the rate of each.
    """
    from bitfold.compiler.compile import predict
    from bitfold.compiler.folding import Prices
    from bitfold.compiler.front import one_percent
    from bitfold.compiler.lower import lower
    from bitfold.compiler.modes import read_network, serve_modes
    from bitfold.compiler.plan import plan
    from bitfold.cost import read_target
    from bitfold.cost.units import Mvtu, Vvau
    from bitfold.synth.target import load_target

    read = read_network(model)
    graph = read.graph
    layers = serve_modes(graph, read.model.name, read.modes)[0] if read.modes else lower(graph)
    prices = Prices(read_target(target))
    stages = plan(
        graph,
        layers,
        fps=fps,
        luts=luts,
        brams=brams,
        target=target,
        clock_mhz=clock_mhz,
        prices=prices,
    )
    found = predict(stages, target, clock_mhz)
    products = {s.name: s for s in stages if isinstance(s, Mvtu | Vvau)}
    rows = []
    for row in found["stages"]:
        bits = {}
        if row["name"] in products:
            stage = products[row["name"]]
            bits = {"w_bits": stage.weight_planes, "a_bits": stage.planes}
        rows.append({**row, **bits})
    parts = []
    for part in load_target(target).parts.values():
        shares = {"luts": found["luts"] / part.luts, "brams": _share(found["brams"], part.brams)}
        parts.append({"name": part.name, **shares, "fits": max(shares.values()) <= 1})
    return {
        **found,
        "clock_mhz": clock_mhz,
        "bitops": sum(s.bitops for s in products.values()),
        "weight_bits": sum(s.weight_bits for s in products.values()),
        "binding": [row["name"] for row in rows if row["binds"]],
        "one_percent_luts": one_percent(graph, layers, prices, found["interval_cycles"]),
        "stages": rows,
        "parts": parts,
    }


def _share(used: float, there: float) -> float:
    if there:
        return used / there
    return float("inf") if used else 0.0


def explore_model(
    model: Path,
    out: Path,
    *,
    target: str = "ecp5",
    clock_mhz: float = 50.0,
    points: int = 12,
    prove: int = 3,
) -> tuple[Explored, ...]:
    """The Pareto front of area against rate in the folder `out`; see bitfold.explore."""
    from bitfold.explore import explore

    return explore(model, out, target=target, clock_mhz=clock_mhz, points=points, prove=prove)


def compile_model(
    model: Path,
    out: Path,
    *,
    fps: float | None = None,
    luts: float | None = None,
    brams: float | None = None,
    target: str = "ecp5",
    clock_mhz: float = 50.0,
    ties: Literal["even", "finn"] = "even",
) -> Design:
    """Compile a QONNX file to a design folder; see bitfold.compiler.compile.compile_model."""
    from bitfold.compiler import compile as compiler

    return compiler.compile_model(
        *(model, out),
        fps=fps,
        luts=luts,
        brams=brams,
        target=target,
        clock_mhz=clock_mhz,
        ties=ties,
    )


def verify_design(
    design: Path, *, samples: Path | None = None, frames: int | None = None
) -> Verification:
    """Simulate a design and prove it; see bitfold.sim.verify.verify_design."""
    from bitfold.sim import verify

    return verify.verify_design(design, samples=samples, frames=frames)


def synth_design(design: Path, target: str, *, place: bool = True) -> SynthResult:
    """Synthesise a design folder; builds are kept in `cache/synth` beside it."""
    from bitfold.compiler.design import read_design
    from bitfold.synth import flow

    return flow.synth_design(
        read_design(design), target, design.parent / "cache" / "synth", place=place
    )


def write_report(folder: Path) -> Path:
    """Write report.html for a run folder; its path."""
    from bitfold.files import write_text
    from bitfold.report import read_run_folder, render

    path = folder / "report.html"
    write_text(path, render(read_run_folder(folder)))
    return path
