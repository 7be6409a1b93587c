"""`bitfold finn`: the build's folder, the container's start by a stand-in, bad surroundings."""

import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner

import bitfold
from bitfold.cli.main import cli
from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.finn.build import build_files, finn_bitstream, finn_plan
from bitfold.finn.explain import explain
from bitfold.synth import finn_docker
from bitfold.synth.finn_docker import COMMIT, EXTRA, LICENCE, PLACE, VERSION, FinnDocker
from demo_net import demo_model

RUN_DOCKER = """#!/bin/sh
# A stand-in for FINN's script: what it is called with, and what a build would leave.
[ -t 0 ] && exit 9
printf '%s\\n' "$PWD" "${FINN_DOCKER_EXTRA%--name*}" "$FINN_HOST_BUILD_DIR" "$@" > "$CALLS"
echo "${FINN_DOCKER_EXTRA##* --name }" > "$CALLS.name"
docker run finn "$@"
folder=$(dirname "$2")
cd "$folder" || exit 8
[ -f model.onnx ] && [ -f dataflow_build_config.json ] || exit 7
case $MANNER in
  good) mkdir -p out/bitfile out/report
        echo bits > out/bitfile/finn-accel.bit; echo hwh > out/bitfile/finn-accel.hwh
        [ ! -f bitserial.json ] || cp bitserial.json out/report/bit_serial.json
        echo '{"LUT": 12}' > out/report/post_synth_resources.json ;;
  none) echo "build failed"; exit 0 ;;
  licence) echo "ERROR: [Common 17-345] A valid license was not found"; exit 1 ;;
  interrupted) kill -INT $PPID; exit 130 ;;
  full) echo "OSError: No space left on device"; exit 1 ;;
  layers) echo "FINNUserError: Unsupported/unmapped layer(s) found, starting with Mul_0"; exit 1 ;;
  names) echo '    raise ValueError(f"{name!r} is no MVAU of FINN'"'"'s; there are: {found}")'
         echo "ValueError: 'fc' is no MVAU of FINN's; there are: MVAU_rtl_0"; exit 1 ;;
  kept) echo "ValueError: MVAU_hls_0 cannot be bit-serial: its activations are bipolar"; exit 1 ;;
  versal) echo "ConfigError: part 'xcvc1902': bitfold has no table of prices for its family" ;;
esac
"""
DOCKER = """#!/bin/sh
echo "$@" >> "$CALLS.docker"
[ "$1" != ps ] || cat "$CALLS.running" 2>&-
[ "$1 $MANNER" = "info dead" ] || exit 0
echo "Cannot connect to the Docker daemon" >&2
exit 1
"""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return demo_model(tmp_path / "model.onnx")


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of FINN, a Vivado, a Docker: none of them real."""
    for name, text in (("clone/run-docker.sh", RUN_DOCKER), ("bin/docker", DOCKER)):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    for name in ("Vivado/2022.2", "Vitis_HLS/2022.2", "2024.2/Vivado"):
        (tmp_path / "xilinx" / name).mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(PLACE, str(tmp_path / "xilinx"))
    monkeypatch.setenv(VERSION, "2022.2")
    monkeypatch.delenv(LICENCE, raising=False)
    monkeypatch.delenv(EXTRA, raising=False)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls.txt"))
    monkeypatch.setenv("MANNER", "good")
    return tmp_path


def build(demo: Path, around: Path, *more: str) -> str:
    given = ["finn", str(demo), "--finn", str(around / "clone"), "-o", str(around / "made"), *more]
    done = CliRunner().invoke(cli, given)
    return (
        done.output if done.exit_code == 0 else f"{type(done.exception).__name__}: {done.exception}"
    )


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


def test_the_container_starts_as_finn_documents_it(demo: Path, around: Path) -> None:
    said = build(demo, around)
    assert "top.bit" in said
    where, extra, scratch, *words = (around / "calls.txt").read_text().splitlines()
    assert Path(where) == around / "clone"
    assert words[0] == "python"
    folder = Path(words[1]).parent
    assert Path(words[1]).name == "build.py"
    assert extra.strip() == f"-v {folder}:{folder}"
    assert Path(scratch).parent == folder
    assert (around / "made/top.bit").read_text() == "bits\n"
    assert (around / "made/top.hwh").is_file()
    record = json.loads((around / "made/synth.json").read_text())
    assert record["reports"] == {"post_synth_resources": {"LUT": 12}}
    assert "Vivado 2022.2" in record["tools"]["finn"]


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


def test_a_licence_file_is_mounted_and_a_server_reached(around, monkeypatch) -> None:
    command = finn_plan({"build.py": b""}).commands[0]
    runner = FinnDocker(clone=around / "clone")
    (around / "lic.dat").write_text("")
    monkeypatch.setenv(LICENCE, str(around / "lic.dat"))
    extra = runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    assert f"-v {around / 'lic.dat'}:{around / 'lic.dat'}" in extra
    assert "--network=host" not in extra
    monkeypatch.setenv(LICENCE, "2100@server")
    assert "--network=host" in runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    monkeypatch.setenv(LICENCE, f"2100@server:{around / 'lic.dat'}")
    extra = runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    words = f":{around / 'lic.dat'} --network=host -e {LICENCE}=2100@server:{around}"
    assert words in extra
    monkeypatch.setenv(LICENCE, str(around / "gone.dat"))
    with pytest.raises(ToolNotFound, match=r"gone\.dat', which is no file and no port@host"):
        runner.start(command, around)


def test_what_the_user_gives_docker_stays(demo, around, monkeypatch) -> None:
    monkeypatch.setenv(EXTRA, " -e NAME=value ")
    build(demo, around)
    extra = (around / "calls.txt").read_text().splitlines()[1]
    assert extra.split()[:3] == ["-e", "NAME=value", "-v"]


@pytest.mark.parametrize("name", ["a b", "a:b", "a*"])
def test_a_path_that_finns_script_would_take_apart_is_refused(name, demo, around) -> None:
    (around / name).mkdir()
    other = demo.rename(around / name / "model.onnx")
    said = build(other, around)
    assert f"{name}/cache/finn/.finn-bitstream-" in said
    assert f"has {name[1]!r} in its path, at which FINN's run-docker.sh takes it apart" in said
    assert not (around / "calls.txt").exists()
    assert list((other.parent / "cache/finn").iterdir()) == []
    (around / "clone").rename(around / name / "clone")
    other = other.rename(around / "model.onnx")
    said = build(other, around, "--finn", str(around / name / "clone"))
    assert f"{name}/clone: FINN's clone has" in said


def test_the_clone_of_finn_is_not_replaced(demo: Path, around: Path) -> None:
    said = build(demo, around, "-o", str(around / "clone"), "--dry-run")
    assert "clone is the clone of FINN, and would be replaced" in said
    assert (around / "clone/run-docker.sh").is_file()


def test_a_container_that_outlived_a_killed_bitfold_is_removed(demo, around, monkeypatch) -> None:
    build(demo, around)
    name = (around / "calls.txt.name").read_text().strip()
    assert name.startswith("bitfold.finn-bitstream-")
    dead = f"{name.rpartition('-')[0]}-999999999"
    (around / "calls.txt.running").write_text(f"{dead}\n")
    for path in (around / "cache/finn").iterdir():
        path.rename(around / path.name)
    build(demo, around)
    assert f"rm --force {dead}" in (around / "calls.txt.docker").read_text().splitlines()


def test_an_interrupt_takes_the_container_along(demo, around, monkeypatch, request) -> None:
    monkeypatch.setenv("MANNER", "interrupted")
    # Whoever starts tests in the background has interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    build(demo, around)
    name = (around / "calls.txt.name").read_text().strip()
    assert f"rm --force {name}" in (around / "calls.txt.docker").read_text().splitlines()
    assert list((around / "cache/finn").iterdir()) == []


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


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("none", "without writing 'out/bitfile/finn-accel.bit'"),
        ("licence", "no licence in the container"),
        ("full", "the disk is full"),
        ("layers", "FINN has no layer for a part of the network"),
        ("names", "finn: 'fc' is no MVAU of FINN's; there are: MVAU_rtl_0"),
        ("kept", "MVAU_hls_0 cannot be bit-serial: its activations are bipolar"),
        ("versal", "part 'xcvc1902': bitfold has no table of prices"),
    ],
)
def test_a_build_that_fails_is_one_message(manner, words, demo, around, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", manner)
    said = build(demo, around)
    assert said.startswith("ToolFailed")
    assert words in said
    assert not (around / "made").exists()


def test_a_build_that_failed_starts_anew(demo, around, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", "none")
    build(demo, around)
    monkeypatch.setenv("MANNER", "good")
    assert "top.bit" in build(demo, around)


def test_what_is_missing_is_named(demo: Path, around: Path, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", "dead")
    assert "docker info failed (Cannot connect to the Docker daemon)" in build(demo, around)
    monkeypatch.setenv("MANNER", "good")
    monkeypatch.setenv(VERSION, "2024.1")
    assert "no Vivado 2024.1" in build(demo, around)
    monkeypatch.setenv(VERSION, "newest")
    assert "must be a version as in 2022.2" in build(demo, around)
    monkeypatch.setenv(VERSION, "2024.2")
    assert "xilinx: no Vitis HLS 2024.2 in it" in build(demo, around)
    monkeypatch.setenv(VERSION, "2019.1")
    assert "is 2019.1; FINN's builds here take 2022.2 to 2025.2" in build(demo, around)
    monkeypatch.setenv(PLACE, "xilinx")
    assert "must be an absolute path, got 'xilinx'" in build(demo, around)
    monkeypatch.delenv(VERSION)
    assert f"{PLACE} and {VERSION} are not set" in build(demo, around)
    (around / "clone/run-docker.sh").unlink()
    assert "name a clone of FINN's repository" in build(demo, around)


def test_without_docker_it_says_so(around: Path, monkeypatch) -> None:
    runner = FinnDocker(clone=around / "clone")
    monkeypatch.setenv("PATH", str(around))
    with pytest.raises(ToolNotFound, match="docker not found on PATH"):
        finn_bitstream({"build.py": b""}, runner, around / "made", around / "cache")


def test_a_log_that_says_nothing_explains_nothing(tmp_path: Path) -> None:
    assert explain(tmp_path) is None
    (tmp_path / "finn.log").write_text("ValueError: of another tool\nTraceback\n")
    assert explain(tmp_path) is None


def test_what_ended_the_last_traceback_is_the_message(tmp_path: Path) -> None:
    raised = '  File "a.py", line 1, in f\n    x: int\n'
    last = f"Traceback (most recent call last):\n{raised}finn.util.FINNUserError: MVAU_0: no\nmore"
    first = f"Traceback (most recent call last):\n{raised}KeyError: 'first'\n\nDuring ...:\n\n"
    (tmp_path / "finn.log").write_text(first + last)
    assert explain(tmp_path) == "FINN stopped with FINNUserError: MVAU_0: no"


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


def committed(clone: Path) -> str:
    """Make a clone of it; its commit."""
    author = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "m"]):
        subprocess.run(["git", "-C", str(clone), *words], check=True)
    made = subprocess.run(
        ["git", "-C", str(clone), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    return made.stdout.strip()


def test_another_commit_of_finn_is_warned_of_and_named(
    demo: Path, around: Path, monkeypatch
) -> None:
    words = f"warning: {around / 'clone'} is at no known commit; this was made for FINN's {COMMIT}"
    assert words in build(demo, around)
    found = committed(around / "clone")
    said = build(demo, around)
    assert f"is at {found[:7]}; this" in said
    assert f"git -C {around / 'clone'} checkout {COMMIT}" in said
    record = json.loads((around / "made/synth.json").read_text())
    assert record["tools"]["finn"].startswith(f"finn {found}, ")
    monkeypatch.setattr(finn_docker, "COMMIT", found[:7])
    assert "warning" not in build(demo, around)


def test_a_folder_inside_another_repository_has_no_commit(around: Path) -> None:
    committed(around)
    assert FinnDocker(clone=around / "clone").commit() is None


def test_without_git_the_commit_is_not_known(around: Path, monkeypatch) -> None:
    committed(around / "clone")
    monkeypatch.setenv("PATH", str(around))
    assert FinnDocker(clone=around / "clone").commit() is None


def test_finns_image_is_built_at_that_commit_alone(around: Path) -> None:
    found = committed(around / "clone")
    given = [str(Path(__file__).parents[3] / "scripts/finn_image"), str(around / "clone")]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"is at {found}, not at {COMMIT}; change it with: git -C" in done.stderr
    assert not (around / "calls.txt").exists()
