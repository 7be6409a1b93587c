"""`bitfold explore`: one network on the whole curve of area against rate, some points proven.

explore.json, and a design folder for each point that was simulated and synthesised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.front import Point, front
from bitfold.compiler.lower import lower
from bitfold.compiler.modes import Network, read_network, serve_modes
from bitfold.compiler.plan import check_rate
from bitfold.errors import ConfigError
from bitfold.files import digest, new_folder, write_json
from bitfold.sim.verify import verify_design
from bitfold.synth.flow import synth_design

KIND = "explore"
SCHEMA = 1
FRAMES = 3  # simulated at full rate
MODE_FRAMES = 16  # of each precision mode more: half of them in a row, until its rate is steady


@final
@dataclass(frozen=True, kw_only=True)
class Proof:
    """What simulation and synthesis found of a point; its design is in the folder `design`."""

    design: str
    interval_cycles: int
    outputs: int
    mismatches: int
    exact: bool
    luts: int
    ffs: int
    brams: float


@final
@dataclass(frozen=True, kw_only=True)
class Explored:
    """A point of the front, and its proof where it was chosen for one."""

    point: Point
    proof: Proof | None

    def to_json(self) -> dict[str, Any]:
        """What explore.json holds of it: all but the stages."""
        plain = {k: v for k, v in vars(self.point).items() if k != "stages"}
        return {**plain, "proof": None if self.proof is None else asdict(self.proof)}


def explore(
    model: Path,
    out: Path,
    *,
    target: str = "ecp5",
    clock_mhz: float = 50.0,
    points: int = 12,
    prove: int = 3,
    each: Callable[[], None] = lambda: None,
) -> tuple[Explored, ...]:
    """The Pareto front of a QONNX model on a target, smallest first, in the folder `out`.

    `model` may be the modes.json of a network with precision modes: rates are of the slowest.

    prove: points, evenly spread from the smallest to the fastest, that are compiled, simulated
           (every integer and cycle compared) and synthesised.
    each:  called after every point that is folded, and every one that is proven.
    Raises: as compiling, simulation and synthesis; ConfigError.
    """
    if points < 2 or not 0 <= prove <= points:
        raise ConfigError(f"points must be 2 or more, prove 0..points; got {points} and {prove}")
    check_rate("clock_mhz", clock_mhz)
    read = read_network(model)
    graph, source = read.graph, {"file": read.model.name, "sha256": digest(read.model)}
    found = front(
        graph,
        serve_modes(graph, read.model.name, read.modes)[0] if read.modes else lower(graph),
        target,
        clock_mhz=clock_mhz,
        points=points,
        each=each,
    )
    rows = [Explored(point=point, proof=None) for point in found]
    head = {"kind": KIND, "schema": SCHEMA, "model": source, "target": target}
    head |= {"clock_mhz": clock_mhz}
    with new_folder(out, "explore.json") as folder:
        _write(folder, head, rows)
    for at in sorted({round(i * (len(rows) - 1) / max(1, prove - 1)) for i in range(prove)}):
        proof = _prove(read, found[at], out, source=source, target=target, clock=clock_mhz)
        rows[at] = replace(rows[at], proof=proof)
        _write(out, head, rows)
        each()
    return tuple(rows)


def _write(folder: Path, head: Mapping[str, Any], rows: Sequence[Explored]) -> None:
    write_json(folder / "explore.json", {**head, "points": [row.to_json() for row in rows]})


def _prove(
    read: Network, point: Point, out: Path, *, source: Mapping[str, str], target: str, clock: float
) -> Proof:
    cache = out.parent / "cache"
    design = compile_graph(
        read.graph,
        out / f"at-{point.interval_cycles}",
        source=source,
        target=target,
        clock_mhz=clock,
        stages=point.stages,
        modes=read.modes,
    )
    verified = verify_design(
        design.folder,
        frames=FRAMES + MODE_FRAMES * len(read.modes),
        protocol_frames=1,
        cache=cache / "verilator",
    )
    measured = [mode.interval_measured for mode in verified.modes]
    used = synth_design(design, target, cache / "synth", place=False, tree=False).totals
    return Proof(
        design=design.folder.name,
        interval_cycles=max(measured, default=verified.timing[-1].interval_measured),
        outputs=verified.outputs,
        mismatches=verified.mismatches,
        exact=verified.exact,
        luts=used.luts,
        ffs=used.ffs,
        brams=used.brams,
    )
