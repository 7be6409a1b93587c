import json
import re
from pathlib import Path

import pytest

from bitfold.errors import ArtefactError
from bitfold.report import read_run_folder, render, summary
from bitfold.report.text import number

HOSTILE = '</td><script>alert(1)</script><img src=x onerror="alert(1)" data-x=\'&'


def text_of(page: str) -> str:
    """What a reader sees, narrow spaces as plain ones."""
    body = page.split("</style>")[1]
    return re.sub(r"<[^>]*>", " ", body).replace("\u202f", " ")


def test_the_page_shows_the_figures(run_folder: Path) -> None:
    text = text_of(render(read_run_folder(run_folder)))
    for figure in (
        "97.2 %", "float 98.5 %", "2 M", "7.0x less", "3.66 kB", "9.1x less than float",
        "exact", "55.6 k", "98.7", "-6.5 %", "321", "111", "1 234", "555 kB", "lfe5u-85f",
        "44 s", "torch", "2.12.1", "cocotb", "ecppack", "limpq", "uniform 3-bit",
            "xcup", "27.8 k", "2 346", "4 321", "+12", "conv1 and 1 more",
    ):  # fmt: skip
        assert figure in text, figure
    assert "Not run" not in text


def test_the_page_is_one_file_that_fetches_nothing(run_folder: Path) -> None:
    page = render(read_run_folder(run_folder))
    assert not re.search(r"<script|<link(?! rel=\"icon\" href=\"data:,\")|@import|url\(|//", page)
    assert "default-src 'none'" in page
    assert len(page) < 200_000


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        (["metrics.json", "policy.json", "timings.json"], "bitfold search"),
        (["design/manifest.json"], "bitfold compile"),
        (["design/verify.json"], "bitfold verify"),
        (["design/synth-ecp5.json"], "bitfold synth"),
    ],
)
def test_a_missing_part_says_which_command_makes_it(
    run_folder: Path, missing: list[str], command: str
) -> None:
    for name in missing:
        (run_folder / name).unlink()
    page = text_of(render(read_run_folder(run_folder)))
    assert re.search(rf"Not run\.\s+{command} ", page)


def test_nothing_from_a_file_becomes_markup(run_folder: Path) -> None:
    def poison(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            # Keys that the schema fixes stay; names that a user chooses are poisoned.
            free = key in ("layers", "versions", "tools")
            return {HOSTILE + k if free else k: poison(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [poison(v, key) for v in value]
        return HOSTILE if isinstance(value, str) and key not in ("kind",) else value

    for path in run_folder.rglob("*.json"):
        path.write_text(json.dumps(poison(json.loads(path.read_text()))))
    (run_folder / "design" / "synth-ecp5.json").rename(
        run_folder / "design" / "synth-<script>'\"&.json"
    )
    page = render(read_run_folder(run_folder))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page
    # No quote from a file ends an attribute: each tag is made of whole attributes alone.
    attribute = r"(?:\s+[a-zA-Z-]+(?:=\"[^\"<>]*\"|=[a-z]+)?)*"
    for tag in re.findall(r"<[a-z][^<]*?>", page.split("</style>")[1]):
        assert re.fullmatch(rf"<[a-z0-9]+{attribute}\s*/?>", tag), tag


def test_every_budget_is_shown(run_folder: Path) -> None:
    page = render(read_run_folder(run_folder)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "2 000 100 bitops (uniform 3-bit); reached 2 000 000, 100.0 %" in page
    assert "; and 40 000 size; reached 30 000, 75.0 %" in page


def test_a_mismatch_is_shown_as_one(run_folder: Path) -> None:
    path = run_folder / "design" / "verify.json"
    value = json.loads(path.read_text())
    value |= {"mismatches": 3, "exact": False}
    value["timing"][1] |= {"frames_equal": False, "latency_measured": 1299}
    path.write_text(json.dumps(value))
    page = render(read_run_folder(run_folder))
    assert '<strong class="bad">3</strong>' in page
    assert '<span class="bad">differs</span>' in page
    assert ("integers that differ", "3", "of 5,600") in summary(read_run_folder(run_folder))


def test_results_of_another_design_are_called_so(run_folder: Path) -> None:
    (run_folder / "model.onnx").write_bytes(b"another")
    path = run_folder / "design" / "manifest.json"
    path.write_text(path.read_text() + " ")
    run = read_run_folder(run_folder)
    files = ["design", "explore.json", "finn.json", "verify.json"]
    assert [w.split(":")[0] for w in run.warnings] == files
    assert "of another design" in render(run)


def test_finns_estimates_stand_beside_ours(run_folder: Path) -> None:
    page = render(read_run_folder(run_folder))
    assert "<td>FINN, xc7z020clg400-1</td>" in page
    assert "<td>bitfold, bit-serial, xc7</td>" in page
    assert f"<td>{number(1717.4, 0)}</td>" in page
    assert "FINN counts nothing for Pool_hls." in page


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"bitfold search.*bitfold compile"):
        read_run_folder(tmp_path)


@pytest.mark.parametrize("name", ["metrics.json", "design/manifest.json", "timings.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": "other", "schema": 1}'])
def test_a_damaged_file_is_refused_by_name(run_folder: Path, name: str, content: str) -> None:
    (run_folder / name).write_text(content)
    with pytest.raises(ArtefactError, match=Path(name).name):
        read_run_folder(run_folder)


@pytest.mark.parametrize("key", ["accuracy", "history", "bitops", "budget", "model"])
def test_a_file_that_lacks_a_part_is_refused(run_folder: Path, key: str) -> None:
    path = run_folder / "metrics.json"
    value = json.loads(path.read_text())
    del value[key]
    path.write_text(json.dumps(value))
    with pytest.raises(ArtefactError, match=key):
        render(read_run_folder(run_folder))


def test_the_summary_has_the_figures(run_folder: Path) -> None:
    rows = {name: (value, other) for name, value, other in summary(read_run_folder(run_folder))}
    assert rows["test accuracy"] == ("97.25%", "float 98.50%, uniform8 98.00%")
    assert rows["bits, weights/activations"] == ("3/2 4/2", "conv1 dense")
    assert rows["LUTs on ecp5"] == ("321", "predicted 300")
    assert rows["wall time of all steps"][0] == "44 s"
