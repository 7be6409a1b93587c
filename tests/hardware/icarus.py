"""The benches under a second simulator: Icarus Verilog runs what Yosys read.

Icarus 11 (Debian 12) does not parse typed parameters, so that Yosys' front end elaborates a module
and writes it as plain Verilog. The same Python bench must then find the same words and cycles: in
the design as synthesis understands it, in another simulator, and one with unknown values (X) in
whatever no reset has set.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from harness import HERE, ROOT, RTL

from bitfold.hardware import needed_files
from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import Build
from programs import needed_program

CACHE = ROOT / "build" / "icarus"

YOSYS = """
import sys
from pyosys import libyosys
libyosys.run_pass(f"tee -q -o {sys.argv[1]}.log script {sys.argv[1]}", libyosys.Design())
"""


def _build(module: str, parameters: dict[str, int | str]) -> Build:
    """An executable that simulates `module`, found again by the text of its sources."""
    from cocotb_tools import config

    sources = needed_files(RTL, module)
    key = hashlib.sha256(json.dumps(parameters).encode())
    for path in sources:
        key.update(path.read_bytes())
    folder = CACHE / f"{module}-{key.hexdigest()[:16]}"
    built = Build(executable=folder / module, top=module, parameters=parameters, seconds=0.0)
    if built.executable.exists():
        return built
    folder.mkdir(parents=True, exist_ok=True)
    chosen = " ".join(f"-chparam {name} {value}" for name, value in parameters.items())
    script = folder / "read.ys"
    script.write_text(
        "\n".join(
            [
                *(f"read_verilog -sv -defer -DSYNTHESIS {path}" for path in sources),
                f"hierarchy -check -top {module} {chosen}",
                "proc",
                f"rename -top {module}",
                f"write_verilog -noattr {folder / module}.v",
            ]
        )
    )
    _run([sys.executable, "-c", YOSYS, str(script)], script.with_suffix(".ys.log"))
    read, image = folder / f"{module}.v", folder / f"{module}.vvp"
    read.write_text("`timescale 1ns/1ps\n" + read.read_text())
    _run(["iverilog", "-g2012", "-s", module, "-o", str(image), str(read)], None)
    library = config.lib_entry("vpi", "icarus")
    command = f'#!/bin/sh\nexec vvp -m {library} {image} "$@"\n'
    partial = folder / f".{os.getpid()}"
    partial.write_text(command)
    partial.chmod(0o755)
    partial.rename(built.executable)
    return built


def _run(command: list[str], log: Path | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr + (log.read_text()[-2000:] if log and log.exists() else "")
    assert done.returncode == 0, said[-3000:]


def bench_icarus(module: str, *, seed: int = 1, **parameters: int | str) -> None:
    """Assert that the bench of `module` passes under Icarus."""
    needed_program("iverilog", package="iverilog")
    built = _build(module, parameters)
    folder = ROOT / "build" / "tests" / f"icarus-{built.executable.parent.name}-{seed}"
    results = simulate(built, f"bench_{module}", folder, search=[HERE], seed=seed)
    assert results, f"no cocotb test ran; see {folder / 'sim.log'}"
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    assert not failed, "\n".join([*failed, (folder / "sim.log").read_text()[-3000:]])
