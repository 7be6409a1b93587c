"""Prove a design: simulate it on real inputs and compare every output integer with the golden run,
and every measured cycle with the cycle model."""

import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.design import Design, frame_bytes, read_design
from bitfold.compiler.instances import style_of
from bitfold.cost.schedule import Timeline, frame_times
from bitfold.errors import MismatchError
from bitfold.files import digest, write_json
from bitfold.sim.modes import ModeRun, ModeTiming, mode_run
from bitfold.sim.planes import plane_offsets, plane_rows, with_planes
from bitfold.sim.samples import random_samples, read_samples
from bitfold.sim.simulate import TestResult, simulate
from bitfold.sim.timing import StageTiming, frame_ends, stage_timing, tail_cycles
from bitfold.sim.verilator import Build, build

SCHEMA = 1


@final
@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a simulation showed."""

    frames: int
    protocol_frames: int
    outputs: int
    mismatches: int
    timing: tuple[StageTiming, ...]
    argmax_accuracy: float | None  # of the hardware's outputs, when labels are there
    simulated_cycles: int
    cycles_per_second: float
    build_seconds: float
    modes: tuple[ModeTiming, ...] = ()  # precision modes: frames changed between them
    most_inside: int = 0  # frames that were inside when a mode was written

    @property
    def exact(self) -> bool:
        """Every integer and every cycle as predicted."""
        return self.mismatches == 0 and all(t.frames_equal for t in self.timing)


def verify_design(
    folder: Path,
    *,
    samples: Path | None = None,
    frames: int | None = None,
    protocol_frames: int = 100,
    waves: str | None = None,
    cache: Path | None = None,
    planes: Path | None = None,
) -> Verification:
    """Simulate the design in `folder` and write verify.json there.

    samples:         .npz with x and y; random inputs when None.
    frames:          for the run at full rate; all samples (or 100 random ones) when None.
    protocol_frames: for each of the two cocotbext-axi runs.
    waves:           "vcd" or "fst": also write design/sim/waves.<that>.
    With precision modes the frames change between them (see `sim.modes`), by s_axis_tuser and, in
    the run with stalls, by writing the register MODE while earlier frames are inside; where the
    planes of layers can be written, each frame then has its mode's planes written into any mode.
    planes: a modes.json written by hand: what the host writes into PLANES before (`sim.planes`);
    the file then is verify-planes.json.
    Raises: MismatchError after the file is written, if anything differs; as `with_planes`.
    """
    compiled = read_design(folder)
    graph = compiled.graph()
    design, modes = with_planes(compiled, planes) if planes else (compiled, ())
    labels = None
    if samples is None:
        codes = random_samples(graph, frames or 100)
    else:
        codes, labels = read_samples(samples, graph)
    codes = codes[:frames]
    protocol_frames = min(protocol_frames, len(codes))
    plan = mode_run(design, len(codes), [mode.graph for mode in modes])
    golden = plan.golden(codes)
    work = folder / "sim" / "run"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "mem").symlink_to((folder / "mem").resolve())
    (work / "frames.bin").write_bytes(frame_bytes(graph, codes))
    (work / "modes.bin").write_bytes(bytes(plan.sequence))
    write_json(work / "planes.json", _planes(compiled, design))
    timelines = frame_times(design.stages, len(codes), style_of(design.target), plan.sequence)
    limit = 4 * (timelines[-1].ends[0] + 1) * (len(codes) + 4) + 10_000
    env = {
        "BITFOLD_FRAMES": str(len(codes)),
        "BITFOLD_PROTOCOL_FRAMES": str(protocol_frames),
        "BITFOLD_FRAME_BYTES": str(design.input["bytes_per_frame"]),
        "BITFOLD_FRAME_FILE": str((work / "frames.bin").resolve()),
        "BITFOLD_CYCLE_LIMIT": str(limit),
        "BITFOLD_TAIL_CYCLES": str(tail_cycles(timelines, len(codes))),
        "BITFOLD_MODES": str(len(design.modes)),
    }
    built = _build(design, cache or folder / "sim" / "build", waves)
    _simulate(built, work, env, waves)
    rows = np.loadtxt(work / "outputs.txt", dtype=np.int64, ndmin=2)
    outputs = rows[:, 0].reshape(len(codes), -1) if len(rows) == golden.size else rows[:0, :1]
    mismatches = _differences(outputs, golden)
    for name in ("protocol_no_stalls", "protocol_stalls"):
        mismatches += _differences(np.load(work / f"{name}.npy"), golden[:protocol_frames])
    cycles, seconds = (work / "rate.txt").read_text().split()
    inside = (work / "inside.txt").read_text() if plan.sequence else "0"
    verified = Verification(
        frames=len(codes),
        protocol_frames=protocol_frames,
        outputs=golden.size + 2 * golden[:protocol_frames].size,
        mismatches=mismatches,
        timing=stage_timing(work / "probes.txt", timelines, len(codes)),
        argmax_accuracy=_accuracy(plan, outputs, labels),
        simulated_cycles=int(cycles),
        cycles_per_second=int(cycles) / float(seconds),
        build_seconds=built.seconds,
        modes=_paces(plan, work / "probes.txt", timelines) if plan.sequence else (),
        most_inside=int(inside),
    )
    written = {"planes": planes.name} if planes else {}
    name = "verify-planes.json" if planes else "verify.json"
    write_json(folder / name, {**_to_json(design, verified, samples), **written})
    if waves:
        produced = next(work.glob("dump.*"))
        produced.replace(folder / "sim" / f"waves.{waves}")
    if not verified.exact:
        raise MismatchError(_complaint(folder, name, verified))
    return verified


def _planes(compiled: Design, design: Design) -> dict[str, Any]:
    """What the host writes into PLANES: addresses, words of all modes, those at reset."""
    return {
        "offsets": plane_offsets(design),
        "words": plane_rows(design),
        "reset": plane_rows(compiled),
    }


def _paces(plan: ModeRun, probes: Path, timelines: tuple[Timeline, ...]) -> tuple[ModeTiming, ...]:
    """Of each mode, at the output."""
    ends = frame_ends(probes, len(timelines))
    return plan.timing(ends, timelines[-1].extended(len(ends)))


def _build(design: Design, cache: Path, waves: str | None) -> Build:
    sources = [*design.rtl_paths, *(design.folder / name for name in design.bench)]
    return build(sources, "bf_bench", cache, waves=waves)


def _simulate(
    built: Build, work: Path, env: Mapping[str, str], waves: str | None
) -> tuple[TestResult, ...]:
    results = simulate(
        built,
        "bitfold.sim.benches.accelerator",
        work,
        env=env,
        waves=waves is not None,
        plusargs=[
            *("+frames=frames.bin", "+modes=modes.bin"),
            *("+outputs=outputs.txt", "+probes=probes.txt"),
        ],
    )
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    if failed:
        raise MismatchError(f"simulation of {work.parent.parent}: " + "; ".join(failed))
    return results


def _differences(got: NDArray[np.int64], wanted: NDArray[np.int64]) -> int:
    """Outputs that differ; all of them when there are too few or too many."""
    if got.shape != wanted.shape:
        return int(wanted.size)
    return int((got != wanted).sum())


def _accuracy(
    plan: ModeRun, outputs: NDArray[np.int64], labels: NDArray[np.int64] | None
) -> float | None:
    shape = plan.graphs[0].output_type.shape
    if labels is None or len(shape) != 1 or not len(outputs):
        return None
    guesses = plan.reals(outputs).argmax(axis=1)
    return float((guesses == labels[: len(guesses)]).mean())


def _to_json(design: Design, verified: Verification, samples: Path | None) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "kind": "verify",
        "schema": SCHEMA,
        "design": digest(design.folder / "manifest.json"),
        "samples": samples.name if samples else "random",
        "exact": verified.exact,
        **asdict(verified),
        "versions": {
            "verilator": version("verilator"),
            "cocotb": version("cocotb"),
            "cocotbext-axi": version("cocotbext-axi"),
            "python": platform.python_version(),
        },
    }


def _complaint(folder: Path, name: str, verified: Verification) -> str:
    late = [t for t in verified.timing if not t.frames_equal]
    parts = []
    if verified.mismatches:
        parts.append(f"{verified.mismatches} of {verified.outputs} outputs differ from the golden")
    parts += [
        f"stream {t.stage!r}: latency {t.latency_measured} measured, {t.latency_predicted} "
        f"predicted; interval {t.interval_measured} measured, {t.interval_predicted} predicted"
        for t in late
    ]
    return f"{folder}: " + "; ".join(parts) + f". All figures are in {folder / name}"
