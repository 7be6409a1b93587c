import json
from pathlib import Path

import pytest

from bitfold.errors import ToolFailed
from bitfold.synth.nextpnr import Placed, place_plan, read_report
from bitfold.synth.target import Place, load_target

REPORT = {
    "critical_paths": [],
    "fmax": {
        "$glbnet$clk": {"achieved": 123.5, "constraint": 50.0},
        "slow": {"achieved": 61.25, "constraint": 12.0},
    },
    "utilization": {
        "TRELLIS_COMB": {"available": 24288, "used": 160},
        "TRELLIS_FF": {"available": 24288, "used": 38},
        "DP16KD": {"available": 56, "used": 2},
    },
}


def ecp5() -> Place:
    place = load_target("ecp5").place
    assert place
    return place


def test_reads_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT))
    placed = read_report(path, ecp5())
    assert (placed.fmax_mhz, placed.luts, placed.ffs, placed.brams, placed.dsps) == (
        61.25,
        160,
        38,
        2,
        0,
    )
    assert placed.available["TRELLIS_COMB"] == 24288
    assert Placed.from_json(placed.to_json()) == placed


def test_luts_are_all_that_stands_in_them(tmp_path: Path) -> None:
    """A carry of Gowin's parts takes a LUT, a small memory four; nextpnr lists them apart."""
    used = {"LUT4": 100, "ALU": 20, "RAM16SDP4": 3, "DFF": 50}
    path = tmp_path / "report.json"
    rows = {name: {"available": 1000, "used": number} for name, number in used.items()}
    path.write_text(json.dumps(REPORT | {"utilization": rows}))
    place = load_target("gowin").place
    assert place
    placed = read_report(path, place)
    assert (placed.luts, placed.ffs, placed.brams) == (132, 50, 0)


def test_without_a_board_a_clock_pin_is_named() -> None:
    family = load_target("gowin")
    assert family.place
    plan = place_plan("x", b"{}", family.place, family.part(None), freq_mhz=None)
    assert plan.files["alone.cst"] == b'IO_LOC "clk_i" 35;'
    assert "cst=alone.cst" in plan.commands[0].args


def test_a_module_without_path_between_registers_has_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT | {"fmax": {}}))
    placed = read_report(path, ecp5())
    assert (placed.fmax_mhz, placed.luts) == (None, 160)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a nextpnr-ecp5 report"),
        ("{", "not a nextpnr-ecp5 report"),
        ("[]", "not a nextpnr-ecp5 report"),
        ('{"fmax": {}}', "not a nextpnr-ecp5 report"),
        ('{"fmax": {"c": 3}, "utilization": {}}', "not a nextpnr-ecp5 report"),
    ],
)
def test_a_damaged_report_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ToolFailed, match=words):
        read_report(path, ecp5())


def test_place_and_route_is_asked_for_with_seed_part_and_rate() -> None:
    part = load_target("ecp5").part("lfe5u-45f")
    plan = place_plan("x", b"{}", ecp5(), part, seed=7, freq_mhz=150.0)
    trim, command = plan.commands
    assert trim.args == ("netlist.json", "CCU2C", "COUT")
    text = " ".join(command.args)
    for word in ("--45k", "--seed 7", "--freq 150", "--out-of-context", "--json netlist.json"):
        assert word in text
    assert not any(arg.startswith("/") for arg in command.args)
    assert plan.files == {"netlist.json": b"{}"}
    assert plan.outputs == ("report.json",)
