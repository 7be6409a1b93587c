from dataclasses import replace

import pytest

from bitfold.cli import main
from bitfold.cost import read_target, stage_ffs, stage_luts
from bitfold.cost.calibrate import Sample, fit, fit_kind, to_toml
from bitfold.cost.grid import grid
from bitfold.cost.luts import Part, features, parse_target, target_names
from bitfold.cost.units import ModeControl, Vvau


def test_fit_recovers_coefficients_that_made_the_samples():
    target = read_target("xc7")
    stages = list(grid())
    truth = replace(
        target,
        luts={n: 1.7 * v + 0.1 for n, v in target.luts.items()} | {"ram_lut": 1.0, "rom_lut": 1.0},
        ffs={n: 0.6 * v + 0.2 for n, v in target.ffs.items()} | {"ram_lut": 0.0},
    )
    samples = [Sample(stage=s, luts=stage_luts(s, truth), ffs=stage_ffs(s, truth)) for s in stages]
    found = fit(target, samples, "exact")
    assert found.mean_error < 0.01
    for stage in stages:
        assert stage_luts(stage, found.target) == pytest.approx(stage_luts(stage, truth), rel=0.02)


def test_table_survives_writing_and_reading():
    target = read_target("ecp5")
    found = fit(target, [Sample(stage=s, luts=100.0, ffs=50.0) for s in grid()], "a tool 1.0")
    again = parse_target("ecp5", to_toml(found.target))
    assert again == found.target


def test_every_feature_has_a_coefficient_in_every_table():
    for name in target_names():
        target = read_target(name)
        for stage in grid():
            assert set(features(stage, target)) <= set(target.luts) & set(target.ffs)


def only(kind: type[Part]) -> tuple[list[Part], list[Part]]:
    """Of the grid, those of a kind, and all others."""
    stages = list(grid())
    return [s for s in stages if isinstance(s, kind)], [
        s for s in stages if not isinstance(s, kind)
    ]


def test_a_fit_to_one_kind_leaves_the_others_and_their_note():
    target = read_target("xc7")
    stages, others = only(ModeControl)
    samples = [Sample(stage=s, luts=100.0, ffs=50.0) for s in stages]
    found = fit_kind(target, samples, others, "a tool", "ModeControl")
    note = dict(found.target.fit)
    assert note.pop("refitted_ModeControl").startswith(f"{len(stages)} samples, ")
    assert note == {k: v for k, v in target.fit.items() if k != "refitted_ModeControl"}
    changed = {k for k, v in found.target.luts.items() if v != target.luts[k]}
    assert changed
    assert changed <= {name for stage in stages for name in features(stage, target)}


def test_a_fit_to_one_kind_holds_what_others_have_too():
    """Memories and comparators are of all units that make codes."""
    target = read_target("ecp5")
    stages, others = only(Vvau)
    samples = [Sample(stage=s, luts=200.0, ffs=90.0) for s in stages]
    found = fit_kind(target, samples, others, "a tool", "Vvau").target
    assert [stage_luts(s, found) for s in others] == [stage_luts(s, target) for s in others]
    assert [stage_ffs(s, found) for s in others] == [stage_ffs(s, target) for s in others]
    own = {"vvau_gather_bit", "vvau_product_bit", "vvau_sum_bit"}
    assert all(found.luts[name] != target.luts[name] for name in own)


def test_a_kind_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["calibrate", "--only", "Mvu"]) == 2
    assert "--only Mvu: no such kind of stage; there are: AxisIn, " in capsys.readouterr().err
