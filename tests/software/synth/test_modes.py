"""Yosys reads accelerators with and without precision modes: what Verilator takes is not enough."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.emit import emit_alone
from bitfold.compiler.mode_file import Kept
from bitfold.compiler.modes import Mode, masked_modes
from bitfold.cost.units import Mvtu
from bitfold.ir import Graph
from bitfold.synth.bitstream import board_source
from bitfold.synth.boards import load_board, pll
from integer_graphs import digits_like
from mode_graphs import modes_of

pytestmark = pytest.mark.synth
BOARD = load_board("ulx3s")


def modes_for(kind: str, graph: Graph, folder: Path) -> Sequence[Mode]:
    match kind:
        case "trained":
            return modes_of(graph, [{}, {"conv2": 2, "q1": 1}, {"fc": 1}], flips=True)
        case "masked":
            low = {"conv2": Kept(w_bits=1, a_bits=2), "fc": Kept(w_bits=2, a_bits=None)}
            return masked_modes(folder, graph, [{}, low, {"conv1": Kept(w_bits=1, a_bits=2)}])
        case _:
            return ()


@pytest.mark.parametrize("kind", ["none", "trained", "masked"])
def test_yosys_elaborates_the_accelerator_and_its_stages(kind: str, tmp_path: Path) -> None:
    graph = digits_like()
    given = modes_for(kind, graph, tmp_path)
    design = compile_graph(
        graph, tmp_path / "design", source={}, fps=5000, target="ice40", modes=given
    )
    stage = next(s for s in design.stages if isinstance(s, Mvtu))
    (design.folder / "alone.sv").write_text(emit_alone(stage, "ice40"))
    sources = " ".join(design.rtl)
    code = "from pyosys import libyosys as y; y.run_pass('script read.ys')"
    clock = pll(BOARD, BOARD.clock_mhz)
    for name, text in board_source(design, BOARD, clock, BOARD.baud).rtl.items():
        (design.folder / name).write_bytes(text)
        sources += "" if name in design.rtl else f" {name}"
    for top in ("bf_accelerator", "bf_stage", "board_core"):
        script = f"read_verilog -sv -defer {sources} alone.sv\nhierarchy -check -top {top}\nproc\n"
        (design.folder / "read.ys").write_text(f"{script}check -assert\n")
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=design.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        assert "ERROR" not in done.stdout + done.stderr
