"""`bitfold explore` on a small network: the curve, and its ends in simulation and synthesis."""

import json
from pathlib import Path

import numpy as np
import pytest

from bitfold.cli.main import run
from bitfold.compiler.design import read_design
from bitfold.errors import ConfigError
from bitfold.explore import explore
from bitfold.report.explored import explored
from bitfold.report.folder import RunFolder
from qonnx_nets import Net


@pytest.fixture
def model(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    net = Net(12).quant(3, 0.25).gemm(rng.integers(-3, 4, (8, 12)), 3, 1.0).quant(2, 2.0)
    path = tmp_path / "model.onnx"
    path.write_bytes(net.gemm(rng.integers(-1, 2, (4, 8)), 2, 1.0).model().SerializeToString())
    return path


@pytest.mark.synth
@pytest.mark.rtl
def test_the_ends_are_simulated_and_synthesised(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "explore"
    assert run(["explore", str(model), "--points", "4", "--prove", "2"]) == 0
    said = capsys.readouterr().out
    value = json.loads((out / "explore.json").read_text())
    points = value["points"]
    assert [p["proof"] is not None for p in points] == [True, False, False, True]
    for point in (points[0], points[-1]):
        proof = point["proof"]
        assert proof["exact"] is True
        assert proof["mismatches"] == 0
        assert proof["interval_cycles"] == point["interval_cycles"]
        assert proof["outputs"] == 4 * (3 + 2 * 1)
        assert read_design(out / proof["design"]).predicted["luts"] == point["luts"]
        assert 0 < proof["luts"] < 5 * point["luts"]
    assert f"2 points simulated: {2 * 4 * 5} integers, 0 differ" in said
    page = explored(RunFolder(folder=tmp_path, explore=value))
    assert page is not None
    assert page.count('class="point seen s1"') == 4
    assert page.count('class="point seen s2"') == 2


def test_points_without_proofs_need_no_tools(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitfold.explore.verify_design", None)
    found = explore(model, tmp_path / "curve", points=3, prove=0)
    assert len(found) == 3
    assert not any(row.proof for row in found)
    with pytest.raises(ConfigError, match=r"prove 0\.\.points; got 3 and 4"):
        explore(model, tmp_path / "other", points=3, prove=4)
    assert not (tmp_path / "other").exists()


@pytest.mark.synth
@pytest.mark.rtl
def test_precision_modes_are_explored_and_proven_together(model: Path, tmp_path: Path) -> None:
    layers = [{}, {"Gemm_10": {"w_bits": 1, "a_bits": 2}, "Gemm_20": {"a_bits": 1}}]
    modes = {"kind": "modes", "schema": 1, "modes": [{"layers": each} for each in layers]}
    (tmp_path / "modes.json").write_text(json.dumps(modes))
    assert run(["explore", str(tmp_path / "modes.json"), "--points", "3", "--prove", "1"]) == 0
    out = tmp_path / "explore"
    value = json.loads((out / "explore.json").read_text())
    assert value["model"]["file"] == model.name
    first = value["points"][0]
    assert first["proof"]["exact"] is True
    assert first["proof"]["interval_cycles"] == first["interval_cycles"]
    predicted = read_design(out / first["proof"]["design"]).predicted
    rates = [mode["interval_cycles"] for mode in predicted["modes"]]
    assert len(rates) == 2
    assert rates[1] < rates[0] == first["interval_cycles"]
    assert predicted["luts"] == first["luts"]
