"""The compiler's front door: a QONNX file and a wish in, a design folder out."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.check import Comparison, compare, total
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
from bitfold.compiler.emit_modes import layer_planes, mode_modules
from bitfold.compiler.instances import instance_of, style_of
from bitfold.compiler.layers import Layer
from bitfold.compiler.lower import lower
from bitfold.compiler.memories import emit_memories
from bitfold.compiler.modes import Mode, Modes, describe_modes, read_network, serve_modes
from bitfold.compiler.plan import plan
from bitfold.compiler.reading.quantiser import Ties
from bitfold.compiler.registers import c_header, register_map
from bitfold.cost import interval, read_target, stage_brams, stage_cycles, stage_ffs, stage_luts
from bitfold.cost.luts import Part, Target
from bitfold.cost.ring import parts_of
from bitfold.cost.schedule import frame_times
from bitfold.cost.stages import AxisIn, AxisOut, Stage, at_mode, mode_count
from bitfold.cost.units import ModeControl, Mvtu, Vvau
from bitfold.errors import MismatchError
from bitfold.files import digest, new_folder, write_json, write_text
from bitfold.hardware import hardware_folder, needed_files
from bitfold.ir import Graph, text

Floats = NDArray[np.float32]


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
    `model` may be the modes.json of a network with precision modes: one accelerator for all of
    them. `fps`, `luts` and `brams` then are of the slowest, samples go through each.
    Raises: ModelError, UnsupportedOp, BudgetError, ConfigError, MismatchError, ArtefactError.
    """
    read = read_network(model, ties)
    x = None if samples is None else read_inputs(samples)
    pairs = [(m.file, m.graph) for m in read.modes if m.file is not None]
    pairs = pairs or [(read.model, read.graph)]
    checked = None if x is None else total([check_equal(*pair, x, ties) for pair in pairs])
    graph, source = read.graph, {"file": read.model.name, "sha256": digest(read.model)}
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
        modes=read.modes,
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
    modes: Sequence[Mode] = (),
) -> Design:
    """As `compile_model`, for an integer graph; `source` says what it was made from.

    stages: planned already; `fps`, `luts` and `brams` then play no part.
    modes:  graphs whose layers are truncations of those of `graph`; all with flips kept.
    """
    served: Modes | None = None
    if modes:
        layers, served = serve_modes(graph, source.get("file", "the stored network"), modes)
    else:
        layers = lower(graph)
    if stages is None:
        stages = plan(
            graph, layers, fps=fps, luts=luts, brams=brams, target=target, clock_mhz=clock_mhz
        )
    first = stages[0]
    last = stages[-1]
    assert isinstance(first, AxisIn)
    assert isinstance(last, AxisOut)
    with new_folder(out, "manifest.json") as folder:
        rtl, mem, bench = _write_sources(folder, layers, stages, target)
        text.save(graph, folder)
        described: list[dict[str, Any]] = []
        if served is not None:
            described = _write_modes(folder, served, stages)
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
            modes=tuple(described),
        )
        write_manifest(design, folder)
    return read_design(out)


def _write_modes(folder: Path, modes: Modes, stages: tuple[Stage, ...]) -> list[dict[str, Any]]:
    """Golden graphs and registers; what the manifest says of the modes."""
    last = stages[-1]
    assert isinstance(last, AxisOut)
    for number, mode in enumerate(modes.modes):
        (folder / "modes" / str(number)).mkdir(parents=True)
        text.save(mode.graph, folder / "modes" / str(number))
    planes = layer_planes(stages)
    write_json(folder / "driver" / "registers.json", register_map(planes))
    write_text(folder / "driver" / "bitfold_registers.h", c_header(planes))
    pairs = zip(modes.modes, modes.output_shifts, strict=True)
    return describe_modes(modes, [describe_output(m.graph, last, shift) for m, shift in pairs])


def _write_sources(
    folder: Path, layers: tuple[Layer, ...], stages: tuple[Stage, ...], target: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """RTL, memory images and test bench; their names relative to the folder."""
    hardware = hardware_folder()
    modules = [instance_of(stage, target).module for stage in stages]
    modules += mode_modules(stages)
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
    """The cost model's figures of the whole and of each stage; rates are of the slowest mode.

    modes: rates of each precision mode while the network stays in it; not there without modes.
    Registers and the ring of modes are the last of `stages`, and take no cycles.
    """
    coefficients = read_target(target)
    modes = predict_modes(stages, target, clock_mhz)
    slowest = max(modes, key=lambda mode: mode["interval_cycles"])
    cycles = slowest["interval_cycles"]
    parts = parts_of(stages)
    return {
        "target": target,
        "luts": sum(stage_luts(s, coefficients) for s in parts),
        "ffs": sum(stage_ffs(s, coefficients) for s in parts),
        "brams": sum(stage_brams(s, coefficients) for s in parts),
        "interval_cycles": cycles,
        "latency_cycles": slowest["latency_cycles"],
        "fps": clock_mhz * 1e6 / cycles,
        **({"modes": modes} if len(modes) > 1 else {}),
        "stages": [_row(part, coefficients, cycles) for part in parts],
    }


def _row(part: Part, coefficients: Target, interval_cycles: int) -> dict[str, Any]:
    cycles = 0 if isinstance(part, ModeControl) else stage_cycles(part)
    row = {
        "name": part.name,
        "luts": stage_luts(part, coefficients),
        "ffs": stage_ffs(part, coefficients),
        "brams": stage_brams(part, coefficients),
        "cycles": cycles,
        "binds": cycles == interval_cycles,
    }
    if isinstance(part, Mvtu | Vvau) and part.bitops:
        row["bitops"], row["weight_bits"] = part.bitops, part.weight_bits
        row["utilisation"] = part.bitops / (part.lanes * cycles)
    return row


def predict_modes(stages: tuple[Stage, ...], target: str, clock_mhz: float) -> list[dict[str, Any]]:
    """Interval, latency and rate of each mode, and the stages that bind it; one without modes."""
    found = []
    for mode in range(mode_count(stages)):
        held = tuple(at_mode(stage, mode) for stage in stages)
        cycles = interval(held)
        times = frame_times(stages, 2, style_of(target), (mode,))
        found.append(
            {
                "interval_cycles": cycles,
                "latency_cycles": times[-1].ends[0],
                "fps": clock_mhz * 1e6 / cycles,
                "binding": [s.name for s in held if stage_cycles(s) == cycles],
            }
        )
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
