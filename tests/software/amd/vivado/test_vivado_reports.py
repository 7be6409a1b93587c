from pathlib import Path

import pytest
from reports import HIERARCHY, TIMING, UTILISATION, UTILISATION_UPLUS

from bitfold.amd.vivado_reports import (
    placed,
    read_hierarchy,
    read_timing,
    read_utilisation,
    totals,
)
from bitfold.errors import ToolFailed
from bitfold.synth.target import load_target


def write(folder: Path, text: str) -> Path:
    path = folder / "report.rpt"
    path.write_text(text)
    return path


def test_figures_of_a_7_series_device(tmp_path: Path) -> None:
    used = read_utilisation(write(tmp_path, UTILISATION))
    found = totals(used, load_target("xc7"))
    assert (found.luts, found.lut_memory, found.ffs) == (3210, 210, 4321)
    assert (found.brams, found.dsps, found.carries) == (2.5, 3, 120)
    assert found.cells == {
        "FDRE": 4300, "LUT6": 1800, "CARRY4": 120, "RAMD64E": 100, "FDSE": 21, "DSP48E1": 3,
    }  # fmt: skip
    routed = placed(used, read_timing(write(tmp_path, TIMING)))
    assert (routed.luts, routed.ffs, routed.brams, routed.dsps) == (3210, 4321, 3, 3)
    assert routed.available["Slice LUTs"] == 53200
    assert routed.used["RAMB18E1 only"] == 1


def test_figures_of_an_ultrascale_device(tmp_path: Path) -> None:
    found = totals(read_utilisation(write(tmp_path, UTILISATION_UPLUS)), load_target("xcup"))
    assert (found.luts, found.lut_memory, found.ffs, found.brams) == (3100, 200, 4300, 2)
    assert (found.dsps, found.carries) == (0, 120)


def test_a_part_of_a_report_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, UTILISATION.partition("3. Memory")[0])
    with pytest.raises(ToolFailed, match="no row 'Block RAM Tile'"):
        read_utilisation(path)
    with pytest.raises(ToolFailed, match=r"gone\.rpt: cannot be read"):
        read_utilisation(tmp_path / "gone.rpt")


def test_slack_and_clock(tmp_path: Path) -> None:
    found = read_timing(write(tmp_path, TIMING))
    assert (found.slack_ns, found.hold_ns, found.period_ns) == (1.234, 0.047, 10.0)
    assert found.pulse_ns == 3.75
    assert found.met
    assert found.clock_mhz == 100.0
    assert found.fmax_mhz == 1e3 / (10.0 - 1.234)


def test_negative_slack_is_not_met(tmp_path: Path) -> None:
    late = TIMING.replace("      1.234        0.000", "     -2.192    -1894.230", 1)
    found = read_timing(write(tmp_path, late))
    assert (found.slack_ns, found.met) == (-2.192, False)
    short = TIMING.replace("0.047        0.000", "-0.010       -0.200", 1)
    assert not read_timing(write(tmp_path, short)).met
    narrow = TIMING.replace("3.750        0.000", "-0.155       -0.155", 1)
    assert not read_timing(write(tmp_path, narrow)).met


def test_the_fastest_of_several_clocks_counts(tmp_path: Path) -> None:
    line = "clk_fpga_0  {0.000 5.000}      10.000          100.000         \n"
    more = line + "clk_fpga_1  {0.000 2.500}       5.000          200.000\n"
    assert read_timing(write(tmp_path, TIMING.replace(line, more))).period_ns == 5.0


def test_a_design_without_a_clock_is_refused(tmp_path: Path) -> None:
    bare = TIMING.replace("      1.234        0.000", "         NA           NA", 1)
    with pytest.raises(ToolFailed, match="without a clock"):
        read_timing(write(tmp_path, bare))
    with pytest.raises(ToolFailed, match="without a clock"):
        read_timing(write(tmp_path, TIMING.partition("| Clock Summary")[0]))


def test_instances_with_their_place_in_the_tree(tmp_path: Path) -> None:
    found = read_hierarchy(write(tmp_path, HIERARCHY), "bf_accelerator")
    assert [(m.path, m.module) for m in found] == [
        ("bf_accelerator", "bf_accelerator"),
        ("bf_accelerator/u_fc1", "bf_mvtu"),
        ("bf_accelerator/u_fc1/u_mvu", "bf_mvu"),
        ("bf_accelerator/u_out", "bf_axis_out"),
    ]
    use = found[0].use
    assert (use.luts, use.lut_memory, use.ffs, use.brams, use.dsps) == (3210, 210, 4321, 2.5, 3)
    with pytest.raises(ToolFailed, match="not a hierarchical"):
        read_hierarchy(write(tmp_path, UTILISATION), "bf_accelerator")
