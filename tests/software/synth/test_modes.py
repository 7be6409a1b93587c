"""Yosys reads accelerators with and without precision modes: what Verilator takes is not enough."""

import subprocess
import sys

import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.emit import emit_alone
from bitfold.cost.units import Mvtu
from bitfold.synth.bitstream import board_source
from bitfold.synth.boards import load_board, pll
from integer_graphs import digits_like
from mode_graphs import modes_of

pytestmark = pytest.mark.synth
BOARD = load_board("ulx3s")


@pytest.mark.parametrize("with_modes", [False, True])
def test_yosys_elaborates_the_accelerator_and_its_stages(with_modes: bool, tmp_path) -> None:
    graph = digits_like()
    modes = modes_of(graph, [{}, {"conv2": 2, "q1": 1}, {"fc": 1}], flips=True)
    given = modes if with_modes else ()
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
