"""The page over many runs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bitfold.cli import main
from bitfold.errors import ArtefactError
from bitfold.files import write_json
from bitfold.report.results import published, read_results, render_results, rows

from .conftest import metrics


def result(method: str = "sdq", **changes: Any) -> dict[str, Any]:
    layers = [
        {"name": "conv", "weights": 900, "w_bits": 2, "a_bits": 4},
        {"name": "fc", "weights": 100, "w_bits": 8, "a_bits": 8},
    ]
    value = metrics() | {"kind": "result", "commit": "0123456789abcdef", "device": "CPU (test)"}
    value |= {"data": "cifar10", "model": {"name": "resnet20"}, "layers": layers}
    return value | {"method": {"method": method}} | changes


def test_every_published_figure_has_a_source_and_something_to_compare() -> None:
    for row in published():
        assert len(row.source) > 20
        assert row.accuracy is None or 0.5 < row.accuracy < 1
        assert row.accuracy is not None or row.compression is not None
        if row.w_bits and row.compression:
            assert row.compression == pytest.approx(32 / row.w_bits, rel=0.005)


def test_bits_are_means_over_weights() -> None:
    (ours,) = (row for row in rows([result()]) if row.ours)
    assert ours.w_bits == pytest.approx(2.6)
    assert ours.compression == pytest.approx(32 / 2.6)
    assert ours.a_bits == "4-8"
    assert ours.accuracy == 0.9725
    assert ours.best == pytest.approx(0.9)
    assert "4 epochs search" in ours.source


def test_published_figures_stand_only_beside_the_same_network() -> None:
    assert any(not row.ours for row in rows([result()]))
    assert all(row.ours for row in rows([result(model={"name": "convnet"})]))


def test_rows_of_one_method_stand_together_published_first() -> None:
    methods = [(row.method, row.ours) for row in rows([result("uniform"), result("sdq")])]
    assert methods == sorted(methods)
    assert ("sdq", False) in methods


def test_the_page_names_every_run_and_escapes(tmp_path: Path) -> None:
    write_json(tmp_path / "a_seed0.json", result("sdq"))
    write_json(tmp_path / "b_seed1.json", result("csq", seed=1, device="<b>GPU</b>"))
    page = render_results("results", read_results(tmp_path))
    assert "sdq, seed 3" in page
    assert "csq, seed 1" in page
    assert "<b>GPU" not in page
    assert "published: second-hand summary of the SDQ paper" in page
    assert not re.search(r"<script|https?://", page)


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(tmp_path / "a_seed0.json", result())
    assert main.run(["report", str(tmp_path)]) == 0
    assert "1 results" in capsys.readouterr().out
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("text", ["{", json.dumps({"kind": "result", "schema": 99})])
def test_a_damaged_result_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a_seed0.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"a_seed0\.json"):
        read_results(tmp_path)


def test_a_result_that_lacks_something_is_refused() -> None:
    broken = result()
    del broken["layers"]
    with pytest.raises(ArtefactError, match="malformed"):
        rows([broken])
