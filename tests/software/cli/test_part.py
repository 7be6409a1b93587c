import json
import re

import numpy as np
import pytest

from bitfold.cli import main
from bitfold.compiler.design import read_design
from qonnx_nets import Net


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    rng = np.random.default_rng(0)
    net = Net(32).quant(4, 0.25, signed=1).gemm(rng.normal(size=(64, 32)), 4, 0.25)
    net = net.quant(4, 0.25, signed=1).gemm(rng.normal(size=(10, 64)), 4, 0.25)
    return net.save(tmp_path_factory.mktemp("part"))


@pytest.mark.parametrize("device", [("ice40", "up5k", 64), ("ecp5", "lfe5u-25f", 32)])
def test_a_part_is_filled_as_far_as_it_goes(model, tmp_path, capsys, device):
    target, part, interval = device
    options = ["--target", target, "--part", part]
    assert main.run(["cost", str(model), *options, "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)
    assert main.run(["compile", str(model), "-o", str(tmp_path / part), *options]) == 0
    capsys.readouterr()
    predicted = read_design(tmp_path / part).predicted
    for figure in ("luts", "brams", "interval_cycles"):
        assert predicted[figure] == cost[figure]
    (found,) = (p for p in cost["parts"] if p["name"] == part)
    assert found["fits"]
    assert found["luts"] <= 0.85
    assert cost["interval_cycles"] == interval


def test_luts_limit_a_part_further(model, capsys):
    options = ["--target", "ice40", "--part", "up5k", "--luts", "2000", "--json"]
    assert main.run(["cost", str(model), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["luts"] <= 2000
    assert found["interval_cycles"] > 40


def test_an_unknown_part_is_named_beside_those_that_are_there(model, capsys):
    assert main.run(["cost", str(model), "--part", "lfe5u-99f"]) == 2
    assert "no part 'lfe5u-99f'; parts: lfe5u-12f, lfe5u-25f" in capsys.readouterr().err


def test_a_budget_that_is_too_small_is_refused_with_what_is_needed(model, capsys):
    options = ["--target", "ice40", "--part", "up5k", "--luts", "2000", "--fps", "1250000"]
    assert main.run(["cost", str(model), *options]) == 2
    said = capsys.readouterr().err
    assert re.search(r"40 cycles a frame on ice40 take \d+ LUTs and \d+ block RAMs", said)
    assert "the budget is 2000 LUTs and 30 block RAMs" in said


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "0"])
@pytest.mark.parametrize("command", [["cost", "--fps"], ["cost", "--clock-mhz"],
                                     ["explore", "--prove", "0", "--clock-mhz"]])  # fmt: skip
def test_what_is_no_rate_is_refused(model, tmp_path, capsys, command, number):
    name, *options = command
    (tmp_path / "model.onnx").write_bytes(model.read_bytes())
    assert main.run([name, str(tmp_path / "model.onnx"), *options, number]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    key = options[-1].removeprefix("--").replace("-", "_")
    assert said == f"bitfold: {key} must be positive and finite, got {float(number)}"


def test_a_budget_of_no_luts_is_no_budget(model, capsys):
    options = ["--target", "ice40", "--part", "up5k", "--luts", "0"]
    assert main.run(["cost", str(model), *options]) == 2
    assert "a budget of 0 LUTs and 30 block RAMs on ice40 cannot be met" in capsys.readouterr().err


def test_what_does_not_fit_names_the_layer(model, capsys):
    assert main.run(["cost", str(model), "--luts", "100"]) == 2
    said = capsys.readouterr().err
    assert re.search(r"takes \d+ LUTs and \d+ block RAMs, 'Gemm_10' the most, \d+ LUTs", said)
    assert main.run(["cost", str(model), "--fps", "1e9"]) == 2
    said = capsys.readouterr().err
    assert re.search(r"the least this network can reach is 32 cycles, which '\w+' takes", said)
