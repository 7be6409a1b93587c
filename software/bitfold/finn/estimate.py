"""FINN's own front end on a network, and its estimates beside bitfold's for the same rate."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from bitfold.errors import ToolFailed
from bitfold.finn.boards import ALL, check_asked
from bitfold.finn.carried import carried_files
from bitfold.finn.explain import LOG, explain
from bitfold.finn.integers import to_finn
from bitfold.ir.graph import Graph
from bitfold.ir.interp import run
from bitfold.synth.environment import Environment, EnvironmentRunner, make_environment
from bitfold.synth.plan import BuildPlan, Command, execute

KIND = "finn-estimate"
SCHEMA = 1
VERSION = "1.6.1"
SAMPLES = 2
_HERE = Path(__file__).parent
_RESULT = "finn.json"
# "all", "smaller", or names of FINN's MVAUs: see serial_select.make_bit_serial.
BitSerial = str | Sequence[str]
_WIDEST = 1 << 20  # bits of a weight stream: no limit; FINN's own of 36 makes it miss rates


@final
@dataclass(frozen=True, kw_only=True)
class FinnLayer:
    """A hardware layer as FINN sees it. brams: of 36 kbit, halves."""

    name: str
    kind: str
    cycles: int
    luts: float
    brams: float
    dsps: float


@final
@dataclass(frozen=True, kw_only=True)
class FinnEstimate:
    """What FINN says of a network. fps at `clock_mhz`.

    differ: integers that differ from the golden model's, of `compared`, at each step at which
    FINN can execute the graph. uncounted: kinds of layers that FINN counts as no LUT, block RAM
    or DSP at all. generated: files of sources by ending. kept: MVAUs that were to be bit-serial
    and are not, and why.
    """

    part: str
    clock_mhz: float
    fps: float
    latency_us: float
    luts: float
    brams: float
    dsps: float
    nodes: tuple[FinnLayer, ...]
    uncounted: tuple[str, ...]
    differ: Mapping[str, int]
    compared: int
    generated: Mapping[str, int]
    seconds: Mapping[str, float]
    kept: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": KIND, "schema": SCHEMA, **asdict(self)}


def environment() -> Environment:
    """FINN from the package index, with pins known to work together."""
    pins = (_HERE / "requirements.txt").read_text()
    return Environment(tool=f"finn-plus=={VERSION}", requirements=pins)


def finn_samples(graph: Graph, count: int) -> bytes:
    """samples.npz: random integers x (N, H, W, C) or (N, K), and the golden model's y."""
    kind, rng = graph.input_type, np.random.default_rng(0)
    low, high = graph.input_range or (kind.min, kind.max)
    x = rng.integers(low, high + 1, (count, *kind.shape))
    if kind.bipolar:
        x = np.where(x > 0, 1, -1)
    y = run(graph, x)
    if kind.bipolar:
        x = (x + 1) // 2
    if graph.output_type.bipolar:
        y = (y + 1) // 2
    buffer = io.BytesIO()
    given, made = (np.moveaxis(each, 1, -1).astype(np.float32) for each in (x, y))
    np.savez(buffer, x=given, y=made)
    return buffer.getvalue()


def finn_estimate(
    graph: Graph,
    *,
    fps: float,
    clock_mhz: float,
    board: str,
    home: Path,
    cache: Path,
    bitserial: BitSerial = (),
) -> FinnEstimate:
    """Run FINN's estimates on the integer graph, as far as FINN goes without Vivado.

    home: folder of FINN's environment, made where it is missing (minutes, 1.2 GB).
    bitserial: MVAUs whose place bit-serial layers take.
    Raises: ConfigError; UnsupportedOp for what FINN has no layer for; ToolNotFound when FINN
    cannot be installed; ToolFailed when FINN says no.
    """
    model = to_finn(graph).SerializeToString(deterministic=True)
    plan = finn_plan(
        model,
        finn_samples(graph, SAMPLES),
        fps=fps,
        clock_mhz=clock_mhz,
        board=board,
        bitserial=bitserial,
    )
    return run_finn(plan, home=home, cache=cache, clock_mhz=clock_mhz)


def finn_plan(
    model: bytes,
    samples: bytes,
    *,
    fps: float,
    clock_mhz: float,
    board: str,
    bitserial: BitSerial = (),
) -> BuildPlan:
    """FINN's front end over an ONNX file, with integers x and y to compare its graphs on."""
    check_asked(board, ALL, fps, clock_mhz)
    job = {
        "board": board,
        "period_ns": 1000 / clock_mhz,
        "fps": math.ceil(fps),
        "wwidth_max": _WIDEST,
        "bitserial": bitserial,
    }
    return BuildPlan(
        name="finn",
        files={
            "model.onnx": model,
            "samples.npz": samples,
            "job.json": json.dumps(job).encode(),
            "inside.py": (_HERE / "inside.py").read_bytes(),
            **carried_files(bitserial=bool(bitserial)),
        },
        commands=(Command(tool="python", args=("inside.py", "job.json"), log=LOG),),
        outputs=(_RESULT,),
    )


def run_finn(plan: BuildPlan, *, home: Path, cache: Path, clock_mhz: float) -> FinnEstimate:
    """Run a plan of `finn_plan`, or find what it gave before."""
    wanted = environment()
    runner = EnvironmentRunner(
        make_environment(wanted, home.absolute()), f"{wanted.tool} {wanted.key}"
    )
    built = execute(plan, cache, runner, explain)
    return read_result(built.folder / _RESULT, clock_mhz)


def read_result(path: Path, clock_mhz: float) -> FinnEstimate:
    """Parse what inside.py wrote. Raises: ToolFailed when it is not that."""
    try:
        found = json.loads(path.read_text())
        cycles = found["estimate_layer_cycles"]
        used = found["estimate_layer_resources"]
        whole = found["estimate_network_performance"]
        layers = tuple(
            FinnLayer(
                name=name,
                kind=kind,
                cycles=int(cycles.get(name, 0)),
                luts=float(used.get(name, {}).get("LUT", 0)),
                brams=float(used.get(name, {}).get("BRAM_18K", 0)) / 2,
                dsps=float(used.get(name, {}).get("DSP", 0)),
            )
            for name, kind in found["nodes"]
        )
        nothing = {x.kind for x in layers if not (x.luts or x.brams or x.dsps)}
        return FinnEstimate(
            part=found["part"],
            clock_mhz=clock_mhz,
            fps=float(whole["estimated_throughput_fps"]),
            latency_us=float(whole["estimated_latency_ns"]) / 1000,
            luts=sum(x.luts for x in layers),
            brams=sum(x.brams for x in layers),
            dsps=sum(x.dsps for x in layers),
            nodes=layers,
            uncounted=tuple(sorted(nothing)),
            differ=found["differ"],
            compared=found["compared"],
            generated=found["generated"],
            seconds=found["seconds"],
            kept=found["kept"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolFailed(
            f"{path}: not what finn-plus {VERSION} reports ({type(error).__name__}: {error})"
        ) from None
