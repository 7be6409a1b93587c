"""Simulate what synthesis made of a module: the netlist with Yosys' models of the FPGA's cells.

`netlist_bench("bf_dot", "xc7", Style=1)` runs the same cocotb bench as `harness.bench`.
"""

import json
import subprocess
import sys
from pathlib import Path

from harness import CACHE, HERE, ROOT, RTL

from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import build

_SYNTH = {"xc7": "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf", "ecp5": "synth_ecp5"}
_CELLS = {"xc7": "xilinx/cells_sim.v", "ecp5": "lattice/cells_sim_ecp5.v"}


def make_netlist(
    top: str, target: str, parameters: dict[str, int | str], extra: tuple[Path, ...]
) -> Path:
    """Flat Verilog of `top` as synthesised for the target."""
    folder = ROOT / "build" / "tests" / f"netlist-{target}-{top}"
    folder.mkdir(parents=True, exist_ok=True)
    sources = " ".join(str(p) for p in [*sorted(RTL.glob("bf_*.sv")), *extra])
    given = "".join(f" -chparam {k} {v}" for k, v in parameters.items())
    commands = [
        f"read_verilog -sv -defer {sources}",
        f"hierarchy -top {top}{given}",
        f"{_SYNTH[target]} -top {top}",
        f"rename -top {top}",
        f"write_verilog -noattr {folder / 'cells.v'}",
        # The cells' models in their places, so that the simulator reads plain Verilog.
        "design -reset",
        f"read_verilog -DNO_INCLUDES {folder / 'cells.v'} +/{_CELLS[target]}",
        f"hierarchy -top {top}",
        "proc",
        "flatten",
        "opt_clean",
        f"write_verilog -noattr {folder / 'netlist.v'}",
    ]
    lines = ["from pyosys import libyosys", "design = libyosys.Design()"]
    lines += [f"libyosys.run_pass({command!r}, design)" for command in commands]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return folder / "netlist.v"


def netlist_bench(
    top: str,
    target: str,
    *,
    bench_module: str | None = None,
    extra: tuple[Path, ...] = (),
    **parameters: int | str,
) -> None:
    """Assert that the synthesised module passes its bench."""
    netlist = make_netlist(top, target, parameters, extra)
    built = build([netlist], top, CACHE)
    results = simulate(
        built,
        bench_module or f"bench_{top}",
        netlist.parent,
        search=[HERE],
        env={"BITFOLD_PARAMETERS": json.dumps(parameters)},
    )
    assert results, "no cocotb test ran"
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    assert not failed, "\n".join(failed)
