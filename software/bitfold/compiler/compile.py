"""The compiler's front door: a QONNX file and a wish in, a design folder out."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.budget import Budget, fold
from bitfold.compiler.check import Comparison, compare
from bitfold.compiler.design import (
    Design,
    describe_input,
    describe_output,
    read_design,
    read_inputs,
    write_manifest,
)
from bitfold.compiler.emit import emit_top
from bitfold.compiler.emit_bench import BENCH_MODULES, emit_bench
from bitfold.compiler.folding import Prices
from bitfold.compiler.instances import instance_of, style_of
from bitfold.compiler.layers import Layer
from bitfold.compiler.lower import lower
from bitfold.compiler.memories import emit_memories
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.compiler.reading.quantiser import Ties
from bitfold.compiler.stages import build_stages
from bitfold.cost import interval, read_target, stage_brams, stage_cycles, stage_ffs, stage_luts
from bitfold.cost.depths import with_depths
from bitfold.cost.schedule import frame_times
from bitfold.cost.stages import AxisIn, AxisOut, Mvtu, Stage, Vvau
from bitfold.errors import BudgetError, ConfigError, MismatchError
from bitfold.files import digest, new_folder, write_text
from bitfold.hardware import hardware_folder, needed_files
from bitfold.ir import Graph, text

Floats = NDArray[np.float32]
FITTINGS = 4  # foldings tried until the FIFOs fit beside them


def compile_model(
    model: Path,
    out: Path,
    *,
    fps: float | None = None,
    luts: float | None = None,
    brams: float | None = None,
    target: str = "ecp5",
    clock_mhz: float = 50.0,
    samples: Path | None = None,
    ties: Ties = "even",
) -> Design:
    """Compile the QONNX file `model` to SystemVerilog in the folder `out`, replacing it whole.

    fps:       frames a second wanted at `clock_mhz`: the folding with the fewest LUTs is taken.
    luts, brams: most LUTs and block RAMs; without `fps` the fastest folding within them is taken.
               Without any, one that leaves each layer about as small as it can be at 1000 fps.
    samples:   .npz with inputs x (N, *input shape): the compiled integers are compared with the
               QONNX graph on all of them, and the counts stand in the manifest.
    ties:      "finn" rounds ties as FINN does, see `read_qonnx`; the graph's notes say so.
    Raises: ModelError, UnsupportedOp, BudgetError, ConfigError, MismatchError.
    """
    graph = run_pipeline(read_qonnx(model, ties))
    checked = None if samples is None else check_equal(model, graph, read_inputs(samples), ties)
    source = {"file": model.name, "sha256": digest(model)}
    return compile_graph(
        graph,
        out,
        source=source,
        fps=fps,
        luts=luts,
        brams=brams,
        target=target,
        clock_mhz=clock_mhz,
        checked=checked,
    )


def check_equal(model: Path, graph: Graph, x: Floats, ties: Ties = "even") -> Comparison:
    """Compare with the QONNX graph under exact accumulation. Raises: MismatchError."""
    found = compare(model, graph, x, ties=ties)
    if found.mismatches or found.qonnx_mismatches:
        raise MismatchError(
            f"{model}: {found.mismatches} of {found.outputs} compiled integers differ from the "
            f"QONNX graph on {found.samples} samples. This is our bug: please report the model"
        )
    return found


def compile_graph(
    graph: Graph,
    out: Path,
    *,
    source: Mapping[str, str],
    fps: float | None = None,
    luts: float | None = None,
    brams: float | None = None,
    target: str = "ecp5",
    clock_mhz: float = 50.0,
    stages: tuple[Stage, ...] | None = None,
    checked: Comparison | None = None,
) -> Design:
    """As `compile_model`, for an integer graph; `source` says what it was made from.

    stages: planned already; `fps`, `luts` and `brams` then play no part.
    """
    layers = lower(graph)
    if stages is None:
        stages = plan(
            graph, layers, fps=fps, luts=luts, brams=brams, target=target, clock_mhz=clock_mhz
        )
    first = stages[0]
    last = stages[-1]
    assert isinstance(first, AxisIn)
    assert isinstance(last, AxisOut)
    with new_folder(out) as folder:
        rtl, mem, bench = _write_sources(folder, layers, stages, target)
        text.save(graph, folder)
        design = Design(
            folder=folder,
            model=source,
            stages=stages,
            rtl=rtl,
            mem=mem,
            bench=bench,
            input=describe_input(graph, first),
            output=describe_output(graph, last),
            target=target,
            clock_mhz=clock_mhz,
            predicted=predict(stages, target, clock_mhz),
            checked=asdict(checked) if checked else None,
            versions={name: version(name) for name in ("onnx", "onnxruntime", "qonnx", "numpy")},
        )
        write_manifest(design, folder)
    return read_design(out)


def plan(
    graph: Graph,
    layers: tuple[Layer, ...],
    *,
    fps: float | None,
    luts: float | None,
    target: str,
    clock_mhz: float,
    brams: float | None = None,
    prices: Prices | None = None,
) -> tuple[Stage, ...]:
    """Fold the layers for the rate or the budget, and lay out the stages.

    prices: those of the target where a caller has more to ask of them.
    """
    if clock_mhz <= 0:
        raise ConfigError(f"clock_mhz must be positive, got {clock_mhz}")
    if fps is not None and fps <= 0:
        raise ConfigError(f"fps must be positive, got {fps}")
    if fps is None and luts is None and brams is None:
        fps = 1000.0
    cycles = None if fps is None else max(1, floor(clock_mhz * 1e6 / fps))
    prices = prices or Prices(read_target(target))
    whole = left = Budget(luts=luts, brams=brams)
    for _ in range(FITTINGS):
        chosen = fold(graph, layers, prices, interval_cycles=cycles, budget=left)
        stages = build_stages(graph, layers, chosen.foldings, chosen.group)
        stages = with_depths(stages, style_of(target))
        price = prices.of(stages)
        if whole.allows(price):
            return stages
        # The FIFOs of branches follow from the folding, so that it did not know them.
        left = left.less(max(0.0, price.luts - chosen.luts), max(0.0, price.brams - chosen.brams))
    raise BudgetError(
        f"a budget of {whole} on {target} cannot be met beside the FIFOs of branches, which "
        f"come to {price.luts - chosen.luts:.0f} LUTs and {price.brams - chosen.brams:g} block RAMs"
    )


def _write_sources(
    folder: Path, layers: tuple[Layer, ...], stages: tuple[Stage, ...], target: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """RTL, memory images and test bench; their names relative to the folder."""
    hardware = hardware_folder()
    modules = [instance_of(stage, target).module for stage in stages]
    rtl = [f"rtl/{path.name}" for path in needed_files(hardware / "rtl", *modules)]
    parts = [f"sim/{name}.sv" for name in BENCH_MODULES]
    for name in (*rtl, *parts):
        _copy(hardware / name, folder / name)
    _copy(hardware / "lint" / "waivers.vlt", folder / "sim" / "waivers.vlt")
    write_text(folder / "rtl" / "bf_accelerator.sv", emit_top(stages, target))
    write_text(folder / "sim" / "bf_bench.sv", emit_bench(stages))
    memories = emit_memories(stages, layers)
    for name, image in memories.items():
        write_text(folder / "mem" / name, image)
    mem = tuple(f"mem/{name}" for name in memories)
    bench = ("sim/waivers.vlt", *parts, "sim/bf_bench.sv")
    return (*rtl, "rtl/bf_accelerator.sv"), mem, bench


def predict(stages: tuple[Stage, ...], target: str, clock_mhz: float) -> dict[str, Any]:
    """The cost model's figures of the whole and of each stage."""
    coefficients = read_target(target)
    cycles = interval(stages)
    times = frame_times(stages, 2, style_of(target))
    return {
        "target": target,
        "luts": sum(stage_luts(s, coefficients) for s in stages),
        "ffs": sum(stage_ffs(s, coefficients) for s in stages),
        "brams": sum(stage_brams(s, coefficients) for s in stages),
        "interval_cycles": cycles,
        "latency_cycles": times[-1].ends[0],
        "fps": clock_mhz * 1e6 / cycles,
        "stages": [
            {
                "name": s.name,
                "luts": stage_luts(s, coefficients),
                "ffs": stage_ffs(s, coefficients),
                "brams": stage_brams(s, coefficients),
                "cycles": stage_cycles(s),
                "binds": stage_cycles(s) == cycles,
                **(
                    {
                        "bitops": s.bitops,
                        "weight_bits": s.weight_bits,
                        "utilisation": s.bitops / (s.lanes * stage_cycles(s)),
                    }
                    if isinstance(s, Mvtu | Vvau) and s.bitops
                    else {}
                ),
            }
            for s in stages
        ],
    }


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
