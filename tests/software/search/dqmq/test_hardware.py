"""From DQMQ's files to one accelerator: compiled, refused where they do not belong together."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bitfold.cli import main
from bitfold.compiler.compile import compile_model
from bitfold.compiler.design import Design, read_design
from bitfold.compiler.modes import read_modes
from bitfold.errors import ArtefactError, ConfigError
from bitfold.export import to_qonnx, write_onnx
from bitfold.files import read_json
from bitfold.search.dqmq.single import single_mode
from bitfold.search.dqmq.write import write_modes
from bitfold.sim.verify import verify_design
from bitfold.synth.bitstream import board_parameters, board_source
from bitfold.synth.boards import load_board, pll

from .conftest import Made

CACHE = Path(__file__).resolve().parents[4] / "build" / "verilator"


@pytest.fixture(scope="module")
def exported(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves."""
    out = tmp_path_factory.mktemp("run")
    network, layers = made.network, made.problem.costs.layers
    stored = single_mode(network, layers, network.stored)
    write_onnx(to_qonnx(stored, made.data.shape), out / "model.onnx")
    write_modes(network, made.data, out, made.problem)
    np.savez(out / "test.npz", x=made.data.test.x.numpy(), y=made.data.test.y.numpy())
    return out


@pytest.fixture(scope="module")
def design(exported: Path) -> Design:
    arguments = ["compile", str(exported / "modes.json"), "--fps", "20000"]
    assert main.run(arguments) == 0
    return read_design(exported / "design")


def test_every_mode_is_compared_with_its_own_file(design: Design, made: Made) -> None:
    assert design.checked is not None
    assert design.checked["samples"] == 4 * len(made.data.test)
    assert design.checked["mismatches"] == 0
    assert len(design.modes) == len(design.mode_graphs()) == 4


def test_the_registers_hold_the_bits_that_the_policy_chose(design: Design, made: Made) -> None:
    planes = read_map(design)
    for mode in range(4):
        bits = made.network.bits(mode).values()
        found = [(e["w_planes"], e["a_planes"]) for e in planes if e["mode"] == mode]
        assert found == [(b.w_bits, b.a_bits) for b in bits]


def read_map(design: Design) -> list[dict[str, int]]:
    planes: list[dict[str, int]] = json.loads(
        (design.folder / "driver" / "registers.json").read_text()
    )["planes"]
    return planes


@pytest.mark.rtl
def test_the_accelerator_computes_every_mode(design: Design, exported: Path) -> None:
    found = verify_design(
        design.folder,
        samples=exported / "test.npz",
        frames=56,
        protocol_frames=4,
        cache=CACHE,
    )
    assert found.exact
    assert [m.interval_measured for m in found.modes] == [m.interval_predicted for m in found.modes]


def test_cost_shows_the_rate_of_each_mode(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["cost", str(exported / "modes.json"), "--fps", "20000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    cycles = [mode["interval_cycles"] for mode in found["modes"]]
    assert len(cycles) == 4
    assert found["interval_cycles"] == max(cycles) > min(cycles)
    assert main.run(["cost", str(exported / "modes.json"), "--fps", "20000"]) == 0
    assert "Precision modes, while the network stays in one" in capsys.readouterr().out


def test_a_board_is_told_how_many_modes_there_are(design: Design) -> None:
    board = load_board("ulx3s")
    clock = pll(board, design.clock_mhz)
    found = board_parameters(design, clock, 25)
    assert found["Modes"] == 4
    registers = json.loads((design.folder / "driver" / "registers.json").read_text())
    assert found["AxilBits"] == registers["address_bits"]
    source = board_source(design, board, clock, 25)
    assert b"s_axil_awvalid" in source.rtl["rtl/board_core.sv"]


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    shutil.copytree(exported, tmp_path / "run", ignore=shutil.ignore_patterns("design"))
    return tmp_path / "run"


def test_modes_of_another_model_are_refused(copy: Path) -> None:
    shutil.copyfile(copy / "modes" / "0.onnx", copy / "model.onnx")
    with pytest.raises(ArtefactError, match=r"its modes are of another model\.onnx than"):
        compile_model(copy / "modes.json", copy / "design")


def test_a_mode_of_another_network_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(copy / "modes" / "1.onnx", copy / "modes" / "0.onnx")
    assert main.run(["compile", str(copy / "modes.json")]) == 2
    assert "0.onnx: missing, or not the file that" in capsys.readouterr().err
    (copy / "modes" / "0.onnx").unlink()
    with pytest.raises(ArtefactError, match=r"0\.onnx: missing, or not the file"):
        read_modes(copy / "modes.json", copy / "model.onnx")


def test_files_outside_and_single_modes_are_refused(copy: Path) -> None:
    value = read_json(copy / "modes.json", "modes", 1)
    outside = {**value, "modes": [{**m, "file": "../model.onnx"} for m in value["modes"]]}
    (copy / "modes.json").write_text(json.dumps(outside))
    with pytest.raises(ArtefactError, match="lies outside its folder"):
        read_modes(copy / "modes.json", copy / "model.onnx")
    (copy / "modes.json").write_text(json.dumps({**value, "modes": value["modes"][:1]}))
    with pytest.raises(ConfigError, match="lists 1 modes, an accelerator has 2 to 256"):
        read_modes(copy / "modes.json", copy / "model.onnx")
    (copy / "modes.json").write_text(json.dumps({**value, "modes": [{"file": 3}] * 2}))
    with pytest.raises(ArtefactError, match="malformed"):
        read_modes(copy / "modes.json", copy / "model.onnx")
