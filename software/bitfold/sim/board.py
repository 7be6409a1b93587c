"""Prove the boards' top: frames over a simulated serial line, answers equal to the golden integers.

The bench is benches/board.py; it speaks to the top as a host would, good frames and bad ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.design import Design
from bitfold.errors import MismatchError
from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import build

# The line is simulated at 8 cycles a bit, which changes nothing but the time it takes.
BIT_CYCLES = 8
TIMEOUT_CYCLES = 400
_ULX3S: dict[str, int | str] = {"Leds": 8, "LedsLow": "1'b0", "Button": "1'b1", "ButtonLow": "1'b0"}


@final
@dataclass(frozen=True, kw_only=True)
class BoardResult:
    """What the simulated board did: frames answered, integers compared, bench cases passed."""

    frames: int
    outputs: int
    mismatches: int
    cases: tuple[str, ...]
    build_seconds: float


def verify_board(
    design: Design,
    frames: Sequence[bytes],
    golden: NDArray[np.int64],
    cache: Path,
    work: Path,
    *,
    hardware: Path,
    family: str = "ecp5",
    design_id: int = 0,
    parameters: Mapping[str, int | str] | None = None,
    modes: Sequence[int] = (),
    cycle_limit: int = 1_000_000,
) -> BoardResult:
    """Simulate the top of boards with an FPGA of `family`, with the design in it.

    frames:      bytes_per_frame bytes each. golden: (N, count), the integers in stream order.
    cache:       of Verilator builds. work: a folder for this run, with its log.
    hardware:    the folder that holds rtl/ and boards/. design_id: what the top is built with.
    parameters:  more of the top: those of precision modes, what a board has (a ULX3S, else).
    modes:       of the frames, the first 0.
    cycle_limit: most cycles that the accelerator may work on a frame.
    Raises: MismatchError, ToolFailed.
    """
    given: dict[str, int | str] = {
        "BitCycles": BIT_CYCLES,
        "TimeoutCycles": TIMEOUT_CYCLES,
        "WatchdogCycles": cycle_limit,
        "FrameBytes": design.input["bytes_per_frame"],
        "BeatBytes": design.input["bytes_per_beat"],
        "Outputs": design.output["count"],
        "DesignId": f"64'h{design_id:016x}",
        **_ULX3S,
        **(parameters or {}),
    }
    have = {path.stem: path for path in sorted((hardware / "rtl").glob("*.sv"))}
    folder = hardware / "boards" / "common"
    have |= {path.stem: path for path in sorted(folder.glob("*.sv"))}
    have |= {path.stem: path for path in sorted((folder / family).glob("*.sv"))}
    if design.modes:
        have |= {path.stem: path for path in sorted((folder / "modes").glob("*.sv"))}
    have |= {path.stem: path for path in design.rtl_paths}
    sources = [hardware / "lint" / "waivers.vlt", *have.values()]
    built = build(sources, "board_top", cache, parameters=given)
    work.mkdir(parents=True, exist_ok=True)
    memory = work / "mem"
    memory.unlink(missing_ok=True)
    memory.symlink_to((design.folder / "mem").resolve())
    np.savez(
        work / "vectors.npz",
        frames=np.frombuffer(b"".join(frames), np.uint8).reshape(len(frames), -1),
        golden=golden,
        modes=np.array(modes, np.int64),
    )
    (work / "outputs.npy").unlink(missing_ok=True)
    results = simulate(
        built, "bitfold.sim.benches.board", work, env={"BITFOLD_CYCLE_LIMIT": str(cycle_limit)}
    )
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    if failed or not results:
        raise MismatchError(f"board, log in {work / 'sim.log'}: " + "; ".join(failed))
    outputs = np.load(work / "outputs.npy")
    mismatches = int((outputs != golden).sum()) if outputs.shape == golden.shape else golden.size
    if mismatches:
        raise MismatchError(
            f"board: {mismatches} of {golden.size} integers over the serial line differ "
            "from the golden run"
        )
    return BoardResult(
        frames=len(frames),
        outputs=golden.size,
        mismatches=mismatches,
        cases=tuple(r.name for r in results),
        build_seconds=built.seconds,
    )
