"""Run every step of a run file with the command line, and note how long each takes.

scripts/demo [RUN_FILE] [FOLDER]        default: runs/digits.toml build/digits
"""

import subprocess
import sys
import sysconfig
import time
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
    wishes = ["--target", hardware.target, "--clock-mhz", f"{hardware.clock_mhz:g}"]
    wishes += ["--fps", f"{hardware.fps:g}"] if hardware.fps else []
    wishes += ["--luts", str(hardware.luts)] if hardware.luts else []
    steps: list[tuple[str, list[str]]] = [
        ("search", ["search", str(run_file), "-o", str(folder)]),
        ("compile", ["compile", str(folder / "model.onnx"), "-o", design, *wishes]),
        ("verify", ["verify", design]),
        *((f"synth {name}", ["synth", design, "--target", name]) for name in SYNTH_TARGETS),
        ("bitstream", ["bitstream", design, "--board", hardware.board]),
    ]
    taken: list[dict[str, object]] = []
    for number, (name, arguments) in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] bitfold {' '.join(arguments)}", flush=True)
        started = time.monotonic()
        status = subprocess.run([BITFOLD, *arguments], check=False).returncode
        if status:
            print(f"demo: step {name!r} failed", file=sys.stderr)
            return status
        taken.append({"step": name, "seconds": round(time.monotonic() - started, 2)})
        write_json(folder / "timings.json", {"kind": "timings", "schema": 1, "steps": taken})
    print(flush=True)
    status = subprocess.run([BITFOLD, "report", str(folder)], check=False).returncode
    for step in taken:
        print(f"{step['step']:12} {step['seconds']:7.1f} s")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
