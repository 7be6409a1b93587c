from pathlib import Path

import numpy as np
import pytest
from harness import CACHE, ROOT

from bitfold.compiler.compile import compile_graph, compile_model
from bitfold.compiler.design import frame_bytes, stream_order
from bitfold.errors import MismatchError
from bitfold.ir import run
from bitfold.sim.board import verify_board
from bitfold.sim.modes import ModeRun
from bitfold.sim.samples import random_samples
from bitfold.sim.verilator import lint
from bitfold.synth.bitstream import mode_parameters
from bitfold.synth.boards import TOP, board_flow, board_names, load_board
from demo_net import demo_model
from integer_graphs import mlp
from mode_graphs import modes_of
from toy_design import FRAME_BYTES, golden, toy_design

pytestmark = pytest.mark.rtl
HARDWARE = ROOT / "hardware"
OPEN = [name for name in board_names(HARDWARE) if board_flow(name, HARDWARE) == "open"]


@pytest.mark.parametrize("name", OPEN)
def test_lints_clean(name: str, tmp_path: Path) -> None:
    board = load_board(name, HARDWARE)
    design = toy_design(tmp_path / "design")
    sources = [HARDWARE / "lint" / "waivers.vlt", *sorted((HARDWARE / "rtl").glob("bf_*.sv"))]
    sources += [*board.rtl(modes=False), *design.rtl_paths]
    parameters = {"FrameBytes": 12, "BeatBytes": 2, "Outputs": 3, **board.parameters()}
    assert lint(sources, TOP, parameters) == ""


@pytest.mark.parametrize("name", [name for name in OPEN if name != "ulx3s"])
def test_every_board_answers_as_it_is_made(name: str, tmp_path: Path) -> None:
    """With its own lamps and button; the ULX3S is the one below."""
    board = load_board(name, HARDWARE)
    frames = np.random.default_rng(2).integers(0, 256, (2, FRAME_BYTES)).astype(np.uint8)
    result = verify_board(
        toy_design(tmp_path / "design"),
        [row.tobytes() for row in frames],
        golden(frames),
        CACHE,
        tmp_path / "run",
        hardware=HARDWARE,
        family=board.target,
        parameters=board.parameters(),
    )
    assert (result.frames, result.mismatches, len(result.cases)) == (2, 0, 4)


def test_answers_over_the_serial_line(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    frames = np.random.default_rng(1).integers(0, 256, (20, FRAME_BYTES)).astype(np.uint8)
    work = tmp_path / "run"
    rows = [row.tobytes() for row in frames]
    result = verify_board(
        design, rows, golden(frames), CACHE, work, hardware=HARDWARE, design_id=0xFEEDF00D00000001
    )
    assert (result.frames, result.outputs, result.mismatches) == (20, 60, 0)
    assert len(result.cases) == 4
    wrong = golden(frames)
    wrong[7, 2] += 1
    with pytest.raises(MismatchError, match="1 of 60 integers"):
        verify_board(
            design, rows, wrong, CACHE, work, hardware=HARDWARE, design_id=0xFEEDF00D00000001
        )


def test_frames_bring_their_modes(tmp_path: Path) -> None:
    """A design with precision modes behind the line: each frame in its own, also after a reset."""
    graph = mlp()
    modes = modes_of(graph, [{}, {"fc2": 1, "q1": 1}, {"fc3": 2, "in": 1}])
    design = compile_graph(graph, tmp_path / "design", source={}, modes=modes, fps=50_000)
    codes = random_samples(design.graph(), 6)
    sequence = (0, 2, 1, 2, 0, 1)
    golden = ModeRun(design, design.mode_graphs(), sequence).golden(codes)
    result = verify_board(
        design,
        [frame_bytes(graph, row[None]) for row in codes],
        golden,
        CACHE,
        tmp_path / "run",
        hardware=HARDWARE,
        parameters=mode_parameters(design),
        modes=sequence,
    )
    assert (result.frames, result.mismatches) == (6, 0)


def test_a_network_of_the_demos_shape_answers_its_golden_integers(tmp_path: Path) -> None:
    model = demo_model(tmp_path / "model.onnx")
    design = compile_model(model, tmp_path / "design", fps=10_000)
    graph = design.graph()
    images = random_samples(graph, 3)
    result = verify_board(
        design,
        [frame_bytes(graph, image[None]) for image in images],
        stream_order(graph, run(graph, images)),
        CACHE,
        tmp_path / "run",
        hardware=HARDWARE,
    )
    assert (result.frames, result.outputs, result.mismatches) == (3, 30, 0)
