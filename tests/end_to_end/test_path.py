"""Every step of the path on one small network, by the command line, checked by the files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import bitfold
from bitfold.cli import main
from bitfold.compiler.design import read_design
from bitfold.ir import quantise_input, run

# One worker makes the run that all of these look at.
pytestmark = [
    pytest.mark.rtl,
    pytest.mark.synth,
    pytest.mark.slow,
    pytest.mark.xdist_group("path"),
]


def ok(*arguments: str | Path) -> None:
    assert main.run([str(a) for a in arguments]) == 0


@pytest.fixture(scope="module")
def made(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "digits"
    shutil.copytree(searched, folder)
    ok("compile", folder / "model.onnx", "--fps", "20000")
    ok("verify", folder / "design", "--frames", "60", "--protocol-frames", "8")
    ok("synth", folder / "design", "--target", "xc7", "--no-place")
    ok("explore", folder / "model.onnx", "--points", "4", "--prove", "0")
    ok("report", folder)
    return folder


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_the_graph_answers_as_the_trained_network(made: Path) -> None:
    graph = read_design(made / "design").graph()
    with np.load(made / "test.npz") as test:
        outputs = run(graph, quantise_input(graph, test["x"]))
        guesses = graph.output_map.to_real(outputs).argmax(axis=1)
        accuracy = float((guesses == test["y"]).mean())
    assert accuracy == pytest.approx(read(made / "metrics.json")["accuracy"]["searched"]["test"])


def test_the_hardware_is_exact(made: Path) -> None:
    found = read(made / "design" / "verify.json")
    assert found["exact"] is True
    assert found["mismatches"] == 0
    assert found["frames"] == 60
    assert found["outputs"] == (60 + 2 * 8) * 10
    assert all(t["interval_predicted"] == t["interval_measured"] for t in found["timing"])


def test_the_estimate_is_the_designs(made: Path) -> None:
    design = read_design(made / "design")
    found = bitfold.estimate(made / "model.onnx", fps=20000)
    for key in ("luts", "brams", "interval_cycles", "latency_cycles"):
        assert found[key] == design.predicted[key]
    layers = read(made / "metrics.json")["layers"]
    assert found["bitops"] == sum(layer["bitops"] for layer in layers)
    assert found["weight_bits"] == sum(layer["size_bits"] for layer in layers)
    assert found["fps"] >= 20000


def test_cost_prints_json(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ok("cost", made / "model.onnx", "--json")
    assert json.loads(capsys.readouterr().out)["binding"]


def test_the_report_has_all_parts_but_the_bitstream(made: Path) -> None:
    page = (made / "report.html").read_text()
    assert "Not run" not in page
    assert "LUTs on xc7" in page
    assert bitfold.write_report(made) == made / "report.html"


def test_another_model_makes_the_design_stale(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made, tmp_path / "digits")
    (tmp_path / "digits" / "model.onnx").write_bytes(b"another")
    ok("report", tmp_path / "digits")
    assert "compiled from another model.onnx" in capsys.readouterr().err


def test_a_mismatch_fails_and_is_recorded(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong weight in the memory image: the proof must see it."""
    folder = tmp_path / "digits"
    shutil.copytree(made, folder)
    image = next((folder / "design" / "mem").glob("*_weights.mem"))
    words = image.read_text().split()
    flipped = [f"{~int(w, 16) & ((1 << 4 * len(w)) - 1):0{len(w)}x}" for w in words]
    image.write_text("\n".join(flipped) + "\n")
    arguments = ["verify", str(folder / "design"), "--frames", "4", "--protocol-frames", "1"]
    assert main.run(arguments) == 2
    assert "differ" in capsys.readouterr().err
    found = read(folder / "design" / "verify.json")
    assert found["exact"] is False
    assert found["mismatches"] > 0


def test_a_rate_out_of_reach_says_what_is_possible(made: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "design"
    assert main.run(["compile", str(made / "model.onnx"), "-o", str(out), "--fps", "1e9"]) == 2
    assert "the least" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
