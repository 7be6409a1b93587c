"""The start of Vitis HLS, with a stand-in that records its arguments."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bitfold.amd.hls_run import find_vitis, run_vitis
from bitfold.cli import main
from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.files import write_json, write_text
from toy_design import toy_design

# Says its version; else records its arguments and does what the variable STAND_IN says.
STAND_IN = """#!/bin/sh
case "$1" in
  -version|--version) echo "$STAND_IN_VERSION"; exit 0;;
esac
echo "$0 $@" >> "$STAND_IN_CALLS"
pwd >> "$STAND_IN_CALLS"
case "$STAND_IN" in
  licence)
    echo "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis'"
    i=0; while [ $i -lt 40 ]; do echo "INFO: closing"; i=$((i+1)); done
    exit 1;;
  disk) echo "ERROR: write failed: No space left on device"; exit 1;;
  crash) echo "ERROR: [HLS 200-70] Compilation errors found"; exit 1;;
  nothing) echo "INFO: done"; exit 0;;
  sleep) echo half > ip.zip; echo started; sleep 60;;
esac
[ -f run_hls.tcl ] && [ -f network.cpp ] || exit 3
echo zip > ip.zip
echo "<profile/>" > csynth.xml
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `write_hls` leaves, as far as the start looks at it."""
    made = tmp_path / "hls"
    write_text(made / "network.cpp", "// top\n")
    write_text(made / "run_hls.tcl", "exit 0\n")
    about = {"kind": "hls", "schema": 1, "part": "xcvu9p-flga2104-2-e", "frames": 1}
    write_json(made / "hls.json", about)
    return made


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File of the stand-in's calls; PATH has nothing else of Vitis."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("STAND_IN_VERSION", "Vitis HLS v2023.1 (64-bit)")
    monkeypatch.setenv("STAND_IN", "")
    return tmp_path / "calls"


def install(tmp_path: Path, *names: str) -> None:
    for name in names:
        path = tmp_path / "bin" / name
        path.write_text(STAND_IN)
        path.chmod(0o755)


@pytest.mark.parametrize(
    ("installed", "arguments"),
    [
        (("vitis_hls",), "vitis_hls -f run_hls.tcl"),
        (("vitis-run",), "vitis-run --mode hls --tcl run_hls.tcl"),
        (("vitis_hls", "vitis-run"), "vitis-run --mode hls --tcl run_hls.tcl"),
    ],
)
def test_it_is_started_as_the_version_wants_it(
    folder: Path, calls: Path, tmp_path: Path, installed: tuple[str, ...], arguments: str
) -> None:
    install(tmp_path, *installed)
    assert run_vitis(folder, tmp_path / "cache") == folder / "ip.zip"
    started, where = calls.read_text().splitlines()
    assert started.endswith(f"/bin/{arguments}")
    assert Path(where).parent == tmp_path / "cache"
    assert (folder / "ip.zip").read_text() == "zip\n"
    assert (folder / "csynth.xml").read_text() == "<profile/>\n"
    about = json.loads((folder / "run.json").read_text())
    assert about["tools"] == {installed[-1]: f"{installed[-1]}: Vitis HLS v2023.1 (64-bit)"}
    run_vitis(folder, tmp_path / "cache")
    assert len(calls.read_text().splitlines()) == 2, "a finished build is found again"
    (folder / "network.cpp").write_text("// another\n")
    run_vitis(folder, tmp_path / "cache")
    assert len(calls.read_text().splitlines()) == 4


@pytest.mark.parametrize("version", ["2019.2", "2022.1", "2026.1"])
def test_a_wrong_version_is_named(
    calls: Path, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "vitis_hls")
    monkeypatch.setenv("STAND_IN_VERSION", f"Vitis HLS v{version} (64-bit)")
    with pytest.raises(ToolNotFound, match=rf"is version {version}; .*2022\.2 to 2025\.2"):
        find_vitis()


@pytest.mark.parametrize("version", ["2022.2", "2025.2"])
def test_the_ends_of_the_range_are_taken(
    calls: Path, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "vitis_hls")
    monkeypatch.setenv("STAND_IN_VERSION", f"Vitis HLS v{version} (64-bit)")
    assert find_vitis().program.executable == "vitis_hls"


@pytest.mark.parametrize("said", ["hello", ""])
def test_a_version_that_cannot_be_read_is_shown(
    calls: Path, tmp_path: Path, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "vitis_hls")
    monkeypatch.setenv("STAND_IN_VERSION", said)
    with pytest.raises(ToolNotFound, match=rf"{said}.*settings64\.sh"):
        find_vitis()


def test_without_the_tool_nothing_is_written(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_design(tmp_path / "design")
    assert main.run(["hls", str(tmp_path / "design"), "--run"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("bitfold: neither vitis-run nor vitis_hls is on PATH; source settings64")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "hls").exists()


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("licence", r"no licence for xcvu9p-flga2104-2-e: set XILINXD_LICENSE_FILE.*vitis\.log$"),
        ("disk", r"ran out of disk in .*cache: make room.*vitis\.log$"),
        ("crash", r"(?s)vitis_hls exited 1 .*vitis\.log\n.*Compilation errors found"),
        ("nothing", r"^vitis-hls: the tools succeeded without writing 'ip\.zip'.*vitis\.log$"),
    ],
)
def test_a_failure_is_one_message_and_leaves_its_log(
    folder: Path, tmp_path: Path, does: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "vitis_hls")
    monkeypatch.setenv("STAND_IN", does)
    with pytest.raises(ToolFailed, match=says):
        run_vitis(folder, tmp_path / "cache")
    assert not (folder / "ip.zip").exists()
    (failed,) = (tmp_path / "cache").iterdir()
    assert (failed / "vitis.log").stat().st_size > 0
    monkeypatch.setenv("STAND_IN", "")
    run_vitis(folder, tmp_path / "cache")
    assert (folder / "ip.zip").read_text() == "zip\n"


def test_a_killed_run_starts_cleanly(
    folder: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "vitis_hls")
    code = (
        "import sys; from pathlib import Path; from bitfold.amd.hls_run import run_vitis; "
        "run_vitis(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    cache = tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(cache)],
        env=os.environ | {"STAND_IN": "sleep"},
        start_new_session=True,
    )
    while not (calls.is_file() and list(cache.glob(".*/ip.zip"))):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (half,) = cache.iterdir()
    assert half.name.startswith(".")
    run_vitis(folder, cache)
    assert (folder / "ip.zip").read_text() == "zip\n"
    assert not half.exists()
