"""Run every step of a run file with the command line, and note how long each takes.

scripts/demo [RUN_FILE] [FOLDER]        default: runs/digits.toml build/digits
"""

import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from bitfold.files import write_json
from bitfold.runfile import read_run

BITFOLD = str(Path(sysconfig.get_path("scripts")) / "bitfold")
SYNTH_TARGETS = ("xc7", "ecp5")


def main() -> int:
    """Exit status of the first step that fails, else 0."""
    given = sys.argv[1:]
    run_file = Path(given[0] if given else "runs/digits.toml")
    folder = Path(given[1]) if len(given) > 1 else Path("build") / run_file.stem
    hardware = read_run(run_file).hardware
    design = str(folder / "design")
    place = ["--target", hardware.target, "--clock-mhz", f"{hardware.clock_mhz:g}"]
    wishes = list(place)
    wishes += ["--fps", f"{hardware.fps:g}"] if hardware.fps else []
    wishes += ["--luts", str(hardware.luts)] if hardware.luts else []
    first = [
        ("search", ["search", str(run_file), "-o", str(folder)]),
        ("compile", ["compile", str(folder / "model.onnx"), "-o", design, *wishes]),
    ]
    # These read what is there and leave it: two at a time, the longest first.
    then = [
        ("bitstream", ["bitstream", design, "--board", hardware.board]),
        *((f"synth {name}", ["synth", design, "--target", name]) for name in SYNTH_TARGETS),
        ("verify", ["verify", design]),
        ("explore", ["explore", str(folder / "model.onnx"), *place, "--prove", "0"]),
    ]
    started = time.monotonic()
    taken: list[tuple[str, float]] = []
    for name, arguments in first:
        print(f"\nbitfold {' '.join(arguments)}", flush=True)
        step = run(name, arguments, shown=True)
        if step.status:
            return step.status
        taken.append((name, step.seconds))
    print(
        "\n" + "\n".join(f"bitfold {' '.join(arguments)} ..." for _, arguments in then), flush=True
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting = [pool.submit(run, name, arguments, shown=False) for name, arguments in then]
        for done in as_completed(waiting):
            step = done.result()
            print(f"\n--- {step.name}\n{step.said}", flush=True)
            if step.status:
                pool.shutdown(cancel_futures=True)
                return step.status
            taken.append((step.name, step.seconds))
    wall = time.monotonic() - started
    steps = [{"step": name, "seconds": round(seconds, 2)} for name, seconds in taken]
    write_json(
        folder / "timings.json",
        {"kind": "timings", "schema": 1, "wall_seconds": round(wall, 2), "steps": steps},
    )
    status = run("report", ["report", str(folder)], shown=True).status
    for name, seconds in taken:
        print(f"{name:12} {seconds:7.1f} s")
    print(f"{'wall':12} {wall:7.1f} s")
    return status


@dataclass(frozen=True)
class Step:
    """A finished step: what it said if that was not shown at once."""

    name: str
    status: int
    seconds: float
    said: str


def run(name: str, arguments: list[str], *, shown: bool) -> Step:
    """One command line."""
    started = time.monotonic()
    out = None if shown else subprocess.PIPE
    done = subprocess.run(
        [BITFOLD, *arguments],
        check=False,
        stdout=out,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(f"demo: step {name!r} failed", file=sys.stderr)
    return Step(name, done.returncode, time.monotonic() - started, done.stdout or "")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
