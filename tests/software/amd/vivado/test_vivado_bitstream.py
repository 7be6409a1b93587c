"""`bitfold bitstream` for Vivado's boards, against a stand-in that replays the scripts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from stand_in import install
from tcl import calls_inside, commands

from bitfold.amd.vivado_bitstream import file_complaints, vivado_bitstream, vivado_plan
from bitfold.cli import main
from bitfold.compiler.design import Design
from bitfold.errors import ConfigError, ToolFailed, ToolNotFound
from bitfold.synth.source import design_id
from bitfold.synth.vivado import VivadoRunner, vivado_version

BOARDS = ("pynq-z1", "pynq-z2", "kv260")
MADE = {
    "top.bit", "top.hwh", "utilization.rpt", "timing.rpt", "driver.py", "rounding.py",
    "driver.json", "golden.npz", "bitstream.json",
}  # fmt: skip


def calls(cache: Path) -> list[list[str]]:
    """What the last finished or failed start of the stand-in recorded."""
    (path,) = cache.glob("*/calls.json")
    found: list[list[str]] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("board", BOARDS)
def test_the_scripts_lead_to_a_bitstream(
    images: Design, board: str, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    made = vivado_bitstream(images, board, tmp_path / "out", tmp_path / "cache", clock_mhz=80.0)
    assert {path.name for path in (tmp_path / "out").iterdir()} == MADE
    assert (tmp_path / "out" / "top.bit").read_text() == "made: top.bit\n"
    assert (made.clock_mhz, made.slack_ns) == (100.0, 1.234)  # of the report, not of the wish
    assert made.luts == (3100 if board == "kv260" else 3210)
    assert made.tools == {"vivado": "vivado 2023.2"}
    value = json.loads((tmp_path / "out" / "bitstream.json").read_text())
    assert value["design_id"] == f"{design_id(images):016x}"
    assert (value["kind"], value["hwh"], value["driver"]) == ("bitstream", "top.hwh", "driver.py")
    arguments, *recorded = calls(tmp_path / "cache")
    assert arguments == [
        "-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source", "build.tcl",
    ]  # fmt: skip
    heads = [words[0] for words in recorded]
    order = [
        "ipx::package_project", "ipx::save_core", "create_bd_design", "validate_bd_design",
        "generate_target", "make_wrapper", "launch_runs", "report_timing_summary",
    ]  # fmt: skip
    assert [heads.index(name) for name in order] == sorted(heads.index(name) for name in order)
    runs = [words[1:] for words in recorded if words[0] == "launch_runs"]
    assert runs[0][0] == "synth_1"
    assert runs[1][:3] == ["impl_1", "-to_step", "write_bitstream"]


@pytest.mark.parametrize("board", BOARDS)
def test_the_stand_in_sees_what_the_data_say(
    modal: Design, board: str, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    """Cells, links, nets and addresses arrive as they stand in the block design."""
    vivado_bitstream(modal, board, tmp_path / "out", tmp_path / "cache")
    _, *recorded = calls(tmp_path / "cache")
    cells = {w[-1]: w[w.index("-vlnv") + 1] for w in recorded if w[0] == "create_bd_cell"}
    kind = "zynq_ultra_ps_e" if board == "kv260" else "processing_system7"
    assert cells == {
        "ps": f"xilinx.com:ip:{kind}",
        "reset": "xilinx.com:ip:proc_sys_reset",
        "dma": "xilinx.com:ip:axi_dma",
        "control": "xilinx.com:ip:smartconnect",
        "memory": "xilinx.com:ip:smartconnect",
        "interrupts": "xilinx.com:ip:xlconcat",
        "core": "bitfold:user:bf_axi_top",
    }
    links = [words for words in recorded if words[0] == "connect_bd_intf_net"]
    ends = {call[1] for words in links for word in words[1:] for call in calls_inside(word)}
    assert {"core/s_axis", "core/m_axis", "core/s_axil", "core/s_axil_modes"} <= ends
    assert len(ends) == 2 * len(links)
    assert sum(words[0] == "assign_bd_address" for words in recorded) == 5
    settings = [words[2] for words in recorded if words[:2] == ["set_property", "-dict"]]
    text = " ".join(settings)
    assert "CONFIG.c_include_sg {0}" in text
    wanted = "PSU__USE__S_AXI_GP2 {1}" if board == "kv260" else "PCW_USE_S_AXI_HP0 {1}"
    assert f"CONFIG.{wanted}" in text
    presets = [words for words in recorded if words[0] == "apply_bd_automation"]
    assert len(presets) == (board == "kv260"), "explicit settings need no board files"


def test_a_finished_build_is_found_again(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    first = vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    vivado.setenv("VIVADO_STAND_IN", "licence")
    again = vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    assert again == first
    with pytest.raises(ToolFailed, match="no licence"):
        vivado_bitstream(images, "pynq-z2", tmp_path / "out", tmp_path / "cache")


MISTAKES = [
    ("licence", r"vivado: no licence for Synthesis on xc7z020\. Set XILINXD_LICENSE_FILE"),
    ("full", "vivado: the disk is full; make room in the build folder and start again"),
    ("stopped", r"(?s)vivado exited 1 .*BITFOLD-RUN synth_1 stopped, see synth\.log"),
    ("no bitfile", r"succeeded without writing 'top\.bit'"),
    ("empty", r"vivado wrote an empty top\.bit"),
    ("image", r"vivado did not find the memory image 'fc1\.mem': wrong hardware"),
    ("slow", r"reaches 80\.0 MHz, the clock is 100 \(slack -2\.500 ns\).*--clock-mhz"),
]


@pytest.mark.parametrize(("manner", "words"), MISTAKES, ids=[name for name, _ in MISTAKES])
def test_what_goes_wrong_is_one_message(
    images: Design, manner: str, words: str, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    vivado.setenv("VIVADO_STAND_IN", manner)
    out = tmp_path / "out"
    with pytest.raises(ToolFailed, match=words) as caught:
        vivado_bitstream(images, "pynq-z1", out, tmp_path / "cache")
    if manner != "stopped":  # whose cause no log names: its last lines are shown
        assert "\n" not in str(caught.value)
    assert not out.exists(), "nothing half is left"


def test_a_failed_build_starts_anew(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    vivado.setenv("VIVADO_STAND_IN", "full")
    with pytest.raises(ToolFailed, match=r"disk is full.*\.failed/vivado\.log"):
        vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    vivado.delenv("VIVADO_STAND_IN")
    vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    assert (tmp_path / "out" / "top.bit").is_file()


def test_missing_board_files_are_named(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    vivado.setenv("VIVADO_STAND_IN", "no board files")
    with pytest.raises(
        ToolFailed, match=r"no board files xilinx\.com:kv260_som:part0:\*\. Install"
    ):
        vivado_bitstream(images, "kv260", tmp_path / "out", tmp_path / "cache")
    vivado_bitstream(images, "pynq-z2", tmp_path / "out", tmp_path / "cache")


def test_no_vivado_and_wrong_versions_are_one_message(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    for manner, words in (
        ("version 2019.1", r"vivado is version 2019\.1; supported are 2022\.2 to 2025\.2"),
        ("version 2026.1", r"vivado is version 2026\.1; supported are 2022\.2 to 2025\.2"),
        ("bytes", r"says \['\ufffd'\], which names no version"),
        ("mumbles", r"says \['mumble'\], which names no version"),
    ):
        vivado.setenv("VIVADO_STAND_IN", manner)
        with pytest.raises(ToolNotFound, match=words):
            vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    vivado.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolNotFound, match=r"not found on PATH\. Install.*settings64\.sh.*dry-run"):
        vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("version", ["2022.2", "2023.1", "2024.2", "2025.2"])
def test_supported_versions(version: str) -> None:
    said = f"\nVivado v{version} (64-bit)\nSW Build 123 on Mon\n"
    assert vivado_version(said) == version
    assert vivado_version(said.lower()) == version


def test_a_killed_build_starts_cleanly(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    code = (
        "from pathlib import Path; from bitfold.compiler.design import read_design; "
        "from bitfold.amd.vivado_bitstream import vivado_bitstream; "
        f"vivado_bitstream(read_design(Path({str(images.folder)!r})), 'pynq-z1', "
        f"Path({str(tmp_path / 'out')!r}), Path({str(tmp_path / 'cache')!r}))"
    )
    env = dict(os.environ, VIVADO_STAND_IN="killed", VIVADO_STAND_IN_READY=str(ready))
    child = subprocess.Popen([sys.executable, "-c", code], env=env, start_new_session=True)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    (half,) = (tmp_path / "cache").iterdir()
    assert half.name.startswith(".pynq-z1-")
    assert (half / "half.dcp").is_file()
    made = vivado_bitstream(images, "pynq-z1", tmp_path / "out", tmp_path / "cache")
    assert made.size_bytes > 0
    (whole,) = (tmp_path / "cache").iterdir()
    assert not (whole / "half.dcp").exists()


def test_a_dry_run_writes_what_vivado_would_be_given(
    images: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    given = ["bitstream", str(images.folder), "--board", "kv260", "--dry-run", "--clock-mhz", "150"]
    assert main.run(given) == 0
    said = capsys.readouterr().out
    folder = images.folder / "plan-kv260"
    command = "vivado -mode batch -nojournal -nolog -notrace -source build.tcl"
    assert f"would run in {folder}: {command}" in said
    plan = vivado_plan(images, "kv260", 150.0).plan
    for name, content in plan.files.items():
        assert (folder / name).read_bytes() == content, name
    assert {"driver.py", "driver.json", "golden.npz"} <= {p.name for p in folder.iterdir()}
    assert "PL0_REF_CTRL__FREQMHZ {150}" in (folder / "system.tcl").read_text()
    # What was written is enough: the stand-in runs it on its own.
    install(tmp_path / "bin")
    done = subprocess.run(
        [str(tmp_path / "bin" / "vivado"), *command.split()[1:]], cwd=folder, check=False
    )
    assert done.returncode == 0
    assert (folder / "top.bit").is_file()


def test_the_plan_is_the_same_each_time_and_names_no_place(images: Design) -> None:
    first, again = (vivado_plan(images, "pynq-z1").plan for _ in range(2))
    assert first.digest() == again.digest()
    for name, content in first.files.items():
        assert str(images.folder).encode() not in content, name


def test_files_that_are_not_there_are_named(images: Design) -> None:
    plan = vivado_plan(images, "pynq-z1").plan
    scripts = {n: t.decode() for n, t in plan.files.items() if n.endswith(".tcl")}
    assert file_complaints(scripts, plan.files) == ()
    image = next(name for name in plan.files if name.endswith(".mem"))
    less = {name: content for name, content in plan.files.items() if name != image}
    assert file_complaints(scripts, less) == (f"{image!r} is named by a script and not there",)
    more = {**plan.files, "src/other.sv": b""}
    assert file_complaints(scripts, more) == ("'src/other.sv' is named by no script",)
    without = {name: content for name, content in plan.files.items() if name != "system.tcl"}
    assert file_complaints(scripts, without) == ("'system.tcl' is named by a script and not there",)


@pytest.mark.parametrize("board", BOARDS)
def test_every_script_can_be_read(images: Design, board: str) -> None:
    for name, content in vivado_plan(images, board).plan.files.items():
        if name.endswith(".tcl"):
            assert commands(content.decode()), name


def test_options_that_mean_nothing_are_refused(images: Design, capsys) -> None:
    base = ["bitstream", str(images.folder)]
    for more, words in (
        (["--board", "pynq-z1", "--baud", "9600", "--seed", "3"], "takes no --baud and no --seed"),
        (["--board", "pynq-z1", "--part", "xc7z010"], "takes no --part"),
        (["--board", "ulx3s", "--dry-run"], "ulx3s needs no Vivado"),
        (["--board", "pynq-z1", "--clock-mhz", "400"], "clock 400 MHz is outside 1 to 300"),
        (["--board", "pynq-z9"], "did you mean 'pynq-z2'"),
    ):
        assert main.run([*base, *more]) == 2
        assert words in capsys.readouterr().err


def test_bitfold_run_says_where_the_driver_runs(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch, capsys
) -> None:
    assert main.run(["bitstream", str(images.folder), "--board", "pynq-z1"]) == 0
    said = capsys.readouterr().out
    assert "pynq-z1 (xc7z020clg400-1): 3 210 LUTs, 4 321 FFs, 2.5 BRAMs; clock 100 MHz" in said
    assert main.run(["run", str(images.folder), "--port", "/dev/none"]) == 2
    assert "pynq-z1, which has no serial line" in capsys.readouterr().err
    with np.load(images.folder / "bitstream" / "golden.npz") as file:
        assert file["frames"].shape == (100, images.input["bytes_per_frame"])


def test_a_tool_that_is_not_vivado_is_not_started() -> None:
    with pytest.raises(AssertionError):
        VivadoRunner().identity("yosys")


def test_an_unknown_board_of_the_open_tools_is_refused(images: Design) -> None:
    with pytest.raises(ConfigError, match="not built by Vivado but by the open tools"):
        vivado_plan(images, "ulx3s")
