from typing import Any

import pytest

from bitfold.errors import ConfigError
from bitfold.synth.target import load_target, target_names
from bitfold.synth.usage import Utilisation, count, module_tree, plain_name
from bitfold.synth.yosys import read_tree


def test_counts_by_the_rules_of_the_target() -> None:
    cells = {"LUT6": 5, "LUT6_2": 2, "INV": 1, "RAM32M": 2, "SRL16E": 3, "MUXF7": 9}
    cells |= {"FDRE": 7, "CARRY4": 4, "RAMB18E1": 3, "RAMB36E1": 1, "DSP48E1": 1, "$scopeinfo": 6}
    found = count(cells, load_target("xc7"))
    assert (found.luts, found.lut_memory) == (5 + 2 + 1 + 8 + 3, 8 + 3)
    assert (found.ffs, found.brams, found.dsps, found.carries) == (7, 2.5, 1, 4)
    assert "$scopeinfo" not in found.cells


def test_an_ecp5_carry_takes_two_luts() -> None:
    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 4, "DP16KD": 1, "PFUMX": 5}
    found = count(cells, load_target("ecp5"))
    assert (found.luts, found.lut_memory, found.ffs, found.brams) == (10 + 6 + 8, 8, 4, 1)
    assert found.carries == 3


def test_a_cell_without_a_rule_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"xc7: cell 'URAM288'.*targets/xc7\.toml"):
        count({"URAM288": 1}, load_target("xc7"))


@pytest.mark.parametrize("name", target_names())
def test_every_target_file_is_complete(name: str) -> None:
    target = load_target(name)
    part = target.part(None)
    assert min(part.luts, part.ffs, part.brams, part.dsps) > 0
    assert target.title
    free_and_counted = target.free.intersection(*[set().union(*target.costs.values())])
    assert not free_and_counted
    if target.place:
        assert all(p.flags for p in target.parts.values())


def test_unknown_names_suggest_the_near_one() -> None:
    with pytest.raises(ConfigError, match="'ecp6' is unknown; did you mean 'ecp5'"):
        load_target("ecp6")
    with pytest.raises(ConfigError, match="targets: ecp5, gowin, ice40, xc7, xcup"):
        load_target("stratix")
    with pytest.raises(ConfigError, match="no part 'lfe5u-99f'; parts: lfe5u-12f"):
        load_target("ecp5").part("lfe5u-99f")


STAT: dict[str, Any] = {
    "modules": {
        "\\top": {"num_cells_by_type": {"$paramod\\leaf\\N=s32'1": 2, "\\mid": 1, "LUT2": 1}},
        "\\mid": {"num_cells_by_type": {"$paramod$0a1b\\leaf": 1, "FDRE": 3}},
        "$paramod\\leaf\\N=s32'1": {"num_cells_by_type": {"LUT6": 10}},
        "$paramod$0a1b\\leaf": {"num_cells_by_type": {"LUT6": 100, "CARRY4": 1}},
    }
}
DUMP = """\

module \\top
  attribute \\src "top.sv:12.3-14.5"
  cell $paramod\\leaf\\N=s32'1 \\u_a
    connect \\x 1'0
  end
  attribute \\src "top.sv:7.3-9.5"
  cell $paramod\\leaf\\N=s32'1 \\u_b
  end
  attribute \\src "top.sv:100.3-110.5"
  cell \\mid \\u_mid
  end
end
module \\mid
  attribute \\src "a.sv:1"
  cell $paramod$0a1b\\leaf \\g_x[0].u_c
  end
end
"""


def test_the_tree_has_every_instance_with_all_below_it() -> None:
    tree = module_tree(STAT, read_tree(DUMP), "top", load_target("xc7"), 9)
    found = {m.path: (m.module, m.use.luts, m.use.ffs) for m in tree}
    assert found == {
        "top": ("top", 121, 3),
        "top/u_a": ("leaf", 10, 0),
        "top/u_b": ("leaf", 10, 0),
        "top/u_mid": ("mid", 100, 3),
        "top/u_mid/g_x[0].u_c": ("leaf", 100, 0),
    }
    order = ["top", "top/u_b", "top/u_a", "top/u_mid", "top/u_mid/g_x[0].u_c"]
    assert list(found) == order
    shallow = module_tree(STAT, read_tree(DUMP), "top", load_target("xc7"), 1)
    assert [m.path for m in shallow] == order[:-1]
    assert shallow[-1].use.luts == 100


def test_plain_name_drops_the_parameters() -> None:
    assert plain_name("$paramod\\bf_fifo\\Depth=s32'10") == "bf_fifo"
    assert plain_name("$paramod$1f2e\\bf_fifo") == "bf_fifo"
    assert plain_name("bf_fifo") == "bf_fifo"


def test_utilisation_survives_json() -> None:
    use = count({"LUT6": 5, "RAMB18E1": 1}, load_target("xc7"))
    assert Utilisation.from_json(use.to_json()) == use
