from dataclasses import replace

import pytest

from bitfold.cost import read_target, stage_ffs, stage_luts
from bitfold.cost.calibrate import Sample, fit, to_toml
from bitfold.cost.grid import grid
from bitfold.cost.luts import features, parse_target, target_names


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
