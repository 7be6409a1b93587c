"""The real tools on something tiny."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from bitfold.errors import ArtefactError, BudgetError, ConfigError, ToolFailed
from bitfold.hardware import hardware_folder, needed_files
from bitfold.synth.bitstream import Bitstream, bitstream
from bitfold.synth.flow import SynthResult, synth_design
from bitfold.synth.source import design_id, read_source, reading_order
from bitfold.synth.target import load_target
from bitfold.synth.yosys import synth_module
from toy_design import toy_design

RTL = hardware_folder() / "rtl"
synth = pytest.mark.synth


def test_packages_are_read_first() -> None:
    rtl = {"rtl/a.sv": b"module a; endmodule", "rtl/z.sv": b"// x\n package z; endpackage"}
    assert reading_order(rtl) == ("rtl/z.sv", "rtl/a.sv")


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.sv: cannot be read"):
        read_source([tmp_path / "gone.sv"], "gone")


@synth
def test_yosys_counts_a_module(tmp_path: Path) -> None:
    files = needed_files(RTL, "bf_uart_tx")
    small = synth_module(files, "bf_uart_tx", {"BitCycles": 25}, "ecp5", cache=tmp_path)
    # 5 bits of bit time, 4 of bit count, 9 of shift register: its last bit is always 1
    assert small.ffs == 5 + 4 + 9
    assert 15 <= small.luts <= 80
    large = synth_module(files, "bf_uart_tx", {"BitCycles": 2000}, "ecp5", cache=tmp_path)
    assert large.ffs == 11 + 4 + 9


@synth
def test_yosys_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "broken.sv"
    file.write_text("module broken (input logic a); nothing u (.a); endmodule\n")
    with pytest.raises(ToolFailed, match=r"(?s)yosys exited 1.*yosys\.log.*nothing.*not part of"):
        synth_module([file], "broken", target="ecp5", cache=tmp_path / "cache")
    with pytest.raises(ConfigError, match="parameter Name"):
        synth_module([file], "broken", {"Name": 'a"b'}, "ecp5", cache=tmp_path / "cache")


@synth
def test_a_design_is_synthesised_placed_and_written(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    result = synth_design(design, "ecp5", tmp_path / "cache", part="lfe5u-12f")
    assert 16 + 2 + 1 <= result.totals.ffs <= 24
    assert result.placed
    # nextpnr adds a pair of LUTs where a carry chain begins or ends in logic
    assert 0 <= result.placed.luts - result.totals.luts <= 40
    assert result.fmax_mhz
    assert 50 < result.fmax_mhz < 600
    assert result.fits["luts"] == result.placed.luts / 24288
    assert result.modules[0].path == "bf_accelerator"
    result.write(tmp_path / "synth.json")
    assert SynthResult.read(tmp_path / "synth.json") == result
    again = synth_design(design, "ecp5", tmp_path / "cache", part="lfe5u-12f")
    assert again == result
    (tmp_path / "synth.json").write_text("{}")
    with pytest.raises(ArtefactError):
        SynthResult.read(tmp_path / "synth.json")


@synth
def test_memory_images_enter_the_netlist(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    before = synth_design(design, "ecp5", tmp_path / "cache", place=False, tree=False)
    (design.folder / "mem" / "constants.mem").write_text("0000\n" * 4)
    after = synth_design(design, "ecp5", tmp_path / "cache", place=False, tree=False)
    assert after.totals.luts < before.totals.luts
    assert after.design != before.design
    gone = dataclasses.replace(design, mem=())
    with pytest.raises(ToolFailed, match=r"mem/constants\.mem"):
        synth_design(gone, "ecp5", tmp_path / "cache", place=False, tree=False)


@synth
def test_a_bitstream_is_made_for_the_part_and_clock(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    out = tmp_path / "bit"
    made = bitstream(design, "ulx3s", out, tmp_path / "cache", part="lfe5u-25f", clock_mhz=50.0)
    data = (out / "top.bit").read_bytes()
    assert b"Part: LFE5U-25F-6CABGA381" in data[:64]
    assert made.size_bytes == len(data) > 50_000
    assert made.fmax_mhz >= 50.0
    assert made.design_id == f"{design_id(design):016x}"
    assert made.placed.used["EHXPLLL"] == 1
    assert made.placed.used["TRELLIS_IO"] == 13
    assert Bitstream.read(out / "bitstream.json") == made
    shutil.rmtree(out)
    assert (
        bitstream(design, "ulx3s", out, tmp_path / "cache", part="lfe5u-25f", clock_mhz=50.0)
        == made
    )
    json.loads((out / "bitstream.json").read_text())


@synth
def test_a_clock_that_is_not_reached_is_refused(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    out = tmp_path / "bit"
    with pytest.raises(ToolFailed, match=r"reaches \d+\.\d MHz, the clock is 400"):
        bitstream(design, "ulx3s", out, tmp_path / "cache", part="lfe5u-25f", clock_mhz=400.0)
    assert not out.exists()


@synth
@pytest.mark.parametrize("target", ["ice40", "gowin"])
def test_other_families_are_placed(target: str, tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    result = synth_design(design, target, tmp_path / "cache")
    assert result.fmax_mhz
    assert result.placed
    assert result.placed.luts >= result.totals.luts


@synth
def test_what_does_not_fit_is_counted_and_not_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = toy_design(tmp_path / "design")
    family = load_target("ecp5")
    tiny = dataclasses.replace(family.part("lfe5u-25f"), luts=10, ffs=12)
    small = dataclasses.replace(family, parts={**family.parts, "lfe5u-25f": tiny})
    monkeypatch.setattr("bitfold.synth.flow.load_target", lambda _: small)
    monkeypatch.setattr("bitfold.synth.bitstream.load_target", lambda _: small)
    result = synth_design(design, "ecp5", tmp_path / "cache", tree=False)
    assert result.placed is None
    assert result.totals.ffs > 12
    assert result.fits["ffs"] == result.totals.ffs / 12
    with pytest.raises(
        BudgetError,
        match=r"does not fit lfe5u-25f \(\d+ LUTs of 10, \d+ flip-flops of 12\).*larger",
    ):
        bitstream(design, "ulx3s", tmp_path / "bit", tmp_path / "cache", part="lfe5u-25f")
    assert not (tmp_path / "bit").exists()
