"""C simulation of an emitted folder with g++: every integer the golden model's, every loop as long
as the cost model says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from bitfold.amd.hls_bench import GOLDEN, INPUTS, NO_VERDICT, OUTPUTS, TRIPS
from bitfold.amd.hls_gcc import LOG, simulate
from bitfold.amd.hls_headers import ap_types_folder
from bitfold.amd.hls_trips import expected_trips, frame_trips
from bitfold.compiler.design import Design
from bitfold.cost.interval import stage_cycles
from bitfold.errors import MismatchError
from bitfold.files import digest, read_json, write_json

KIND = "csim"
SCHEMA = 1
_SOURCES = ("network.cpp", "csim.cpp")


@final
@dataclass(frozen=True, kw_only=True)
class Loop:
    """Rounds of a loop over all frames."""

    stage: str
    loop: str
    rounds: int
    predicted: int


@final
@dataclass(frozen=True, kw_only=True)
class Pace:
    """Rounds of a stage's busiest loop in a frame; the cycles that the cost model has for it."""

    stage: str
    rounds: int
    cycles: int


@final
@dataclass(frozen=True, kw_only=True)
class Csim:
    """What a C simulation showed."""

    frames: int
    outputs: int
    mismatches: int
    loops: tuple[Loop, ...]
    stages: tuple[Pace, ...]
    tools: Mapping[str, str]
    seconds: float

    @property
    def exact(self) -> bool:
        """Every integer and every round as predicted."""
        return self.mismatches == 0 and all(x.rounds == x.predicted for x in self.loops)


def csim(
    design: Design, folder: Path, cache: Path, ap_types: Path | None = None, *, level: int = 1
) -> Csim:
    """Compile and run the C++ of `folder`, which `write_hls` made of `design`; writes csim.json.

    ap_types: folder of ap_int.h, the installed package's when None. level: of g++'s optimisation.
    Raises: ToolNotFound, ToolFailed; MismatchError after csim.json is written, if anything differs.
    """
    about = read_json(folder / "hls.json", "hls", 1)
    names = (*_SOURCES, "network.hpp", "tables.hpp", INPUTS)
    files = {name: (folder / name).read_bytes() for name in names}
    built = simulate(
        "csim",
        sources=_SOURCES,
        files=files,
        outputs=(OUTPUTS, TRIPS, LOG),
        cache=cache,
        ap_types_in=ap_types_folder(ap_types),
        arguments=(NO_VERDICT,),
        level=level,
    )
    golden = np.loadtxt(folder / GOLDEN, dtype=np.int64, ndmin=2)
    found = _numbers(built.folder / OUTPUTS, golden.shape)
    mismatches = int(golden.size if found is None else (found != golden).sum())
    rounds = {}
    for line in (built.folder / TRIPS).read_text().splitlines():
        stage, loop, count = line.split()
        rounds[stage, loop] = int(count)
    frames = about["frames"]
    loops = tuple(
        Loop(stage=stage.name, loop=loop, rounds=rounds[stage.name, loop], predicted=predicted)
        for stage in design.stages
        for loop, predicted in expected_trips(stage, frames).items()
    )
    stages = tuple(
        Pace(stage=stage.name, rounds=frame_trips(stage), cycles=stage_cycles(stage))
        for stage in design.stages
    )
    result = Csim(
        frames=frames,
        outputs=golden.size,
        mismatches=mismatches,
        loops=loops,
        stages=stages,
        tools=built.tools,
        seconds=built.seconds,
    )
    value: dict[str, Any] = {
        "kind": KIND,
        "schema": SCHEMA,
        "hls": digest(folder / "hls.json"),
        "samples": about["samples"],
        "exact": result.exact,
        **asdict(result),
    }
    write_json(folder / "csim.json", value)
    # An hls::stream that is read while empty, or not read to its end, says so and goes on.
    if "WARNING" in (built.folder / LOG).read_text():
        raise MismatchError(f"{folder}: a stream was read while empty; see {built.folder / LOG}")
    if not result.exact:
        raise MismatchError(_complaint(folder, result))
    return result


def _numbers(path: Path, shape: tuple[int, ...]) -> np.ndarray[Any, Any] | None:
    """Integers of a file; None when they are too few or too many."""
    values = np.array(path.read_text().split(), dtype=np.int64)
    return values.reshape(shape) if values.size == np.prod(shape) else None


def _complaint(folder: Path, result: Csim) -> str:
    parts = []
    if result.mismatches:
        parts.append(f"{result.mismatches} of {result.outputs} integers differ from the golden")
    parts += [
        f"stage {x.stage!r}: {x.loop} went round {x.rounds} times, predicted {x.predicted}"
        for x in result.loops
        if x.rounds != x.predicted
    ]
    return f"{folder}: " + "; ".join(parts) + f". All figures are in {folder / 'csim.json'}"
