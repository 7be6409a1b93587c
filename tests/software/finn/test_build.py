"""`bitfold finn`: the build's folder, what it leaves, what is refused before."""

import json
import re
import subprocess
from pathlib import Path

import onnx
import pytest
from stand_in_finn import RUN_DOCKER, build

import bitfold
from bitfold.errors import ToolFailed
from bitfold.finn.build import build_files, finn_bitstream
from bitfold.synth.finn_docker import FinnDocker


def test_the_folder_holds_network_configuration_samples_and_script(demo: Path) -> None:

    graph = bitfold.read_graph(demo)
    files = build_files(graph, board="Pynq-Z1", fps=1000, clock_mhz=100)
    config = json.loads(files["dataflow_build_config.json"])
    assert config["enable_build_pdb_debug"] is False
    assert config["board"] == "Pynq-Z1"
    assert config["synth_clk_period_ns"] == 10
    assert {config["verify_input_npy"], config["verify_expected_output_npy"]} <= set(files)
    onnx.checker.check_model(onnx.load_model_from_string(files["model.onnx"]))
    compile(files["build.py"], "build.py", "exec")
    assert files["input.npy"].startswith(b"\x93NUMPY")
    assert files == build_files(graph, board="Pynq-Z1", fps=1000, clock_mhz=100)


def test_a_finished_build_is_found_again(demo: Path, around: Path) -> None:
    build(demo, around)
    (around / "calls.txt").unlink()
    assert "top.bit" in build(demo, around)
    assert not (around / "calls.txt").exists()


def test_a_dry_run_prints_what_would_run_and_starts_nothing(demo: Path, around: Path) -> None:
    said = build(demo, around, "--dry-run")
    assert "./run-docker.sh python" in said
    assert "FINN_DOCKER_EXTRA" in said
    assert not (around / "calls.txt").exists()
    assert (around / "made/dataflow_build_config.json").is_file()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("all", "all"),
        ("smaller", "smaller"),
        ("MVAU_rtl_0,MVAU_hls_1", ["MVAU_rtl_0", "MVAU_hls_1"]),
    ],
)
def test_bit_serial_layers_go_along_where_they_are_asked_for(given, wanted, demo, around) -> None:
    build(demo, around, "--dry-run")
    made = around / "made"
    assert not (made / "bitserial.json").exists()
    assert not (made / "bitfold/finn/serial_op.py").exists()
    assert "run-docker.sh" in build(demo, around, "--dry-run", "--bitserial", given)
    assert json.loads((made / "bitserial.json").read_text()) == wanted
    assert (made / "bitfold/finn/serial_op.py").is_file()
    assert (made / "bitfold/_hardware/rtl/bf_finn_mvu.sv").is_file()


def test_a_build_with_bit_serial_layers_is_another_and_reports_them(demo, around) -> None:
    build(demo, around)
    (around / "calls.txt").unlink()
    assert "top.bit" in build(demo, around, "--bitserial", "smaller")
    assert (around / "calls.txt").exists()
    record = json.loads((around / "made/synth.json").read_text())
    assert record["reports"]["bit_serial"] == "smaller"


def test_no_bit_serial_layers_cannot_be_asked_for(demo: Path, around: Path) -> None:
    said = build(demo, around, "--bitserial", ",")
    assert "ConfigError: bit-serial layers are all, smaller or NAME,NAME; got ','" in said
    assert not (around / "made").exists()


@pytest.mark.parametrize("named", ["{around}/clone", "clone", "linked"])
def test_the_clone_of_finn_is_not_replaced(named, demo, around, monkeypatch) -> None:
    monkeypatch.chdir(around)
    Path("linked").symlink_to("clone")
    before, out = sorted(around.rglob("*")), named.format(around=around)
    for more in ([], ["--dry-run"]):
        said = build(demo, around, "-o", out, *more)
        assert f"ConfigError: {out}: would be replaced whole, but holds run-docker.sh" in said
    assert sorted(around.rglob("*")) == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--fps", "nan"), "fps must be positive and finite, got nan"),
        (("--fps", "0"), "fps must be positive"),
        (("--clock-mhz", "0"), "clock_mhz must be positive"),
        (("--clock-mhz", "-3"), "clock_mhz must be positive"),
        (("--board", "pynq-z1"), "board 'pynq-z1' is none.*did you mean 'Pynq-Z1'"),
        (("--board", "kv260"), "did you mean 'KV260_SOM'"),
        (("--board", "U250"), "board 'U250' is none of those.*boards: Ultra96, "),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_written(
    given, words, demo, around
) -> None:
    said = build(demo, around, *given, "--dry-run")
    assert said.startswith("ConfigError")
    assert re.search(words, said)
    assert not (around / "made").exists()


def test_a_build_that_failed_starts_anew(demo, around, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", "none")
    build(demo, around)
    monkeypatch.setenv("MANNER", "good")
    assert "top.bit" in build(demo, around)


def test_make_bitstream_leads_to_finn(demo: Path, around: Path) -> None:
    root = Path(__file__).parents[3]
    given = ["make", "-s", "bitstream", "BACKEND=finn", f"MODEL={demo}", f"FINN={around / 'clone'}"]
    done = subprocess.run(given, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = demo.parent / "finn"
    assert (made / "top.bit").is_file()
    assert "bit_serial" not in json.loads((made / "synth.json").read_text())["reports"]
    given = [*given, "BITSERIAL=smaller"]
    done = subprocess.run(given, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((made / "synth.json").read_text())["reports"]["bit_serial"] == "smaller"
    given = ["make", "-s", "bitstream", "BACKEND=vitis"]
    other = subprocess.run(given, cwd=root, capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert "BACKEND is finn or nothing" in other.stderr


def test_a_damaged_report_is_refused(demo: Path, around: Path) -> None:
    script = around / "clone/run-docker.sh"
    script.write_text(RUN_DOCKER.replace('{"LUT": 12}', "{"))
    runner = FinnDocker(clone=around / "clone")

    files = build_files(bitfold.read_graph(demo), board="Pynq-Z1", fps=1, clock_mhz=100)
    with pytest.raises(ToolFailed, match="a report that is no JSON"):
        finn_bitstream(files, runner, around / "made", around / "cache")
    assert not (around / "made").exists()
