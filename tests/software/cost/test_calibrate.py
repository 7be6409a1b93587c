from dataclasses import replace

import pytest

from bitfold.cli import main
from bitfold.cost import read_target, stage_ffs, stage_luts
from bitfold.cost.calibrate import Sample, fit, fit_kind, to_toml
from bitfold.cost.grid import grid
from bitfold.cost.luts import features, parse_target, target_names
from bitfold.cost.units import ModeControl


def test_fit_recovers_coefficients_that_made_the_samples():
    target = read_target("xc7")
    stages = list(grid())
    truth = replace(
        target,
        luts={n: 1.7 * v + 0.1 for n, v in target.luts.items()} | {"ram_lut": 1.0},
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


def test_a_fit_to_one_kind_leaves_the_others_and_their_note():
    target = read_target("xc7")
    stages = [stage for stage in grid() if isinstance(stage, ModeControl)]
    found = fit_kind(
        target, [Sample(stage=s, luts=100.0, ffs=50.0) for s in stages], "a tool", "ModeControl"
    )
    note = dict(found.target.fit)
    refitted = note.pop("refitted")
    assert refitted.startswith(f"ModeControl: {len(stages)} samples, ")
    assert note == {k: v for k, v in target.fit.items() if k != "refitted"}
    changed = {k for k, v in found.target.luts.items() if v != target.luts[k]}
    assert changed
    assert changed <= {name for stage in stages for name in features(stage, target)}


def test_a_kind_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["calibrate", "--only", "Mvu"]) == 2
    assert "--only Mvu: no such kind of stage; there are: AxisIn, " in capsys.readouterr().err
