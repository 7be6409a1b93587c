"""The section of precision modes."""

import json
from pathlib import Path
from typing import Any

import pytest

from bitfold.errors import ArtefactError
from bitfold.report import read_run_folder, render

from .conftest import LAYERS, write
from .test_report import HOSTILE, text_of


def use(accuracy: float, bitops: float, share: list[float]) -> dict[str, Any]:
    return {"accuracy": accuracy, "cost": bitops, "bitops": bitops, "share": share,
            "bits": dict.fromkeys(LAYERS, 3.0)}  # fmt: skip


def modes() -> dict[str, Any]:
    split = use(0.9125, 1_950_000, [0.625, 0.375, 0.0])
    split["by_quality"] = {
        "clean": use(0.95, 1_500_000, [1.0, 0.0, 0.0]),
        "jpeg:3": use(0.875, 2_400_000, [0.25, 0.75, 0.0]),
    }
    both = {"per_input": split, "per_batch": {**split, "accuracy": 0.905}}
    return {
        "kind": "modes", "schema": 1, "bitfold": "0.1.0",
        "files": {"model.onnx": "1" * 64, "policy.onnx": "2" * 64},
        "budget": {"kind": "bitops", "limit": 2_000_000}, "qualities": ["clean", "jpeg:3"],
        "stored": 2,
        "modes": [
            {"file": f"modes/{m}.onnx", "sha256": "3" * 64, "picked": m < 2,
             "bitops": 1_500_000 + 900_000 * m, "cost": 1.0,
             "layers": {n: {"w_bits": 2 + m, "a_bits": 3 + m} for n in LAYERS}}
            for m in range(3)
        ],
        "use": {"validation": both, "test": both},
    }  # fmt: skip


def test_the_section_shows_bits_by_mode_and_shares_by_quality(run_folder: Path) -> None:
    write(run_folder / "modes.json", modes())
    text = text_of(render(read_run_folder(run_folder)))
    for figure in (
        "Precision modes", "2x3", "3x4", "4x5", "2, stored, not picked", "62.5 %", "37.5 %",
        "jpeg:3", "25 %", "75 %", "87.50 %", "2.4 M", "1 950 000 of 2 000 000", "97.5 %",
        "90.50 % against 91.25 %",
    ):  # fmt: skip
        assert figure in text, figure


def test_the_rate_of_each_mode_is_shown_as_predicted_and_measured(run_folder: Path) -> None:
    path = run_folder / "design" / "manifest.json"
    value = json.loads(path.read_text())
    value["predicted"]["modes"] = [
        {"interval_cycles": 9216, "latency_cycles": 11055, "fps": 5425.0, "binding": ["conv1"]},
        {"interval_cycles": 1728, "latency_cycles": 4083, "fps": 28935.0, "binding": [HOSTILE]},
    ]
    path.write_text(json.dumps(value))
    verify = run_folder / "design" / "verify.json"
    measured = [{"mode": 1, "frames": 7, "interval_predicted": 1728, "interval_measured": 1728}]
    verify.write_text(json.dumps({**json.loads(verify.read_text()), "modes": measured}))
    page = render(read_run_folder(run_folder))
    assert HOSTILE not in page
    text = text_of(page)
    assert "Precision modes" in text
    assert "Rate of each mode in hardware" in text
    for figure in ("9 216", "11 055", "5 425", "1 728", "28 935"):
        assert figure in text


def test_a_run_without_modes_has_no_such_section(run_folder: Path) -> None:
    assert "Precision modes" not in render(read_run_folder(run_folder))


def test_names_from_the_file_do_not_become_markup(run_folder: Path) -> None:
    value = modes()
    for mode in value["modes"]:
        mode["layers"] = {HOSTILE + name: bits for name, bits in mode["layers"].items()}
    split = value["use"]["test"]["per_input"]
    split["by_quality"] = {HOSTILE + name: part for name, part in split["by_quality"].items()}
    value["budget"]["kind"] = HOSTILE
    write(run_folder / "modes.json", value)
    page = render(read_run_folder(run_folder))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page


def test_modes_of_another_model_are_called_so(run_folder: Path) -> None:
    write(run_folder / "modes.json", modes())
    (run_folder / "model.onnx").write_bytes(b"another")
    assert any(w.startswith("modes.json") for w in read_run_folder(run_folder).warnings)


@pytest.mark.parametrize("key", ["use", "modes", "budget", "stored"])
def test_a_file_that_lacks_a_part_is_refused(run_folder: Path, key: str) -> None:
    value = modes()
    del value[key]
    (run_folder / "modes.json").write_text(json.dumps(value))
    with pytest.raises(ArtefactError, match=key):
        render(read_run_folder(run_folder))


def test_modes_written_by_hand_have_no_section_of_a_search(run_folder: Path) -> None:
    by_hand = {"kind": "modes", "schema": 1, "modes": [{"layers": {}}, {"layers": {}}]}
    write(run_folder / "modes.json", by_hand)
    read = read_run_folder(run_folder)
    assert read.modes is None
    assert "Who runs in which mode" not in render(read)
