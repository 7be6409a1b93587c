"""Every RTL file has a test and a row in hardware/README.md, and every row a file."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RTL = sorted((ROOT / "hardware" / "rtl").glob("*.sv"))
ROW = re.compile(r"^\| `(bf_\w+)` \| [^|]+ \| \(?`(test_\w+\.py)`\)? \|", re.MULTILINE)


def rows() -> dict[str, str]:
    """Module -> test, as the README says."""
    return dict(ROW.findall((ROOT / "hardware" / "README.md").read_text()))


@pytest.mark.parametrize("path", RTL, ids=lambda p: p.stem)
def test_rtl_file_holds_its_module_and_has_row_and_test(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem], "one module a file"
    named = rows().get(path.stem)
    assert named, f"hardware/README.md has no row for {path.stem}; add one to its table"
    assert (ROOT / "tests" / "hardware" / named).is_file(), f"{named} does not exist"
    own = f"test_{path.stem}.py"
    assert named == own or not (ROOT / "tests" / "hardware" / own).exists(), f"{own} is its test"
    bench = named.replace("test_", "bench_")
    says = any(f"tests/hardware/{name}" in text for name in (named, bench))
    assert says, f"the header of {path.name} must name {named}"


def test_readme_rows_are_of_files_that_exist() -> None:
    assert set(rows()) == {path.stem for path in RTL}
