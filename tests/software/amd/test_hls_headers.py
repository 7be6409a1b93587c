"""Every header has a row in hls/README.md and a test; the vendor's headers are found."""

import re
from pathlib import Path

import pytest

from bitfold.amd.hls_config import MODULES
from bitfold.amd.hls_headers import ap_types, ap_types_folder, hls_folder, own_headers
from bitfold.errors import ConfigError, ToolNotFound
from bitfold.hardware import hardware_folder

HERE = Path(__file__).resolve().parent
ROW = re.compile(r"^\| `(bf_\w+\.hpp)` \| [^|]+ \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
FOUND = ROW.findall((hls_folder() / "README.md").read_text())
ROWS = {name: (twins, test) for name, twins, test in FOUND}


def test_rows_and_headers_are_the_same() -> None:
    assert set(ROWS) == set(own_headers())


@pytest.mark.parametrize("name", sorted(set(own_headers()) - {"bf_types.hpp"}))
def test_header_names_its_test_and_its_twins_exist(name: str) -> None:
    text = own_headers()[name].decode()
    twins, test = ROWS[name]
    test = test.strip("` ")
    assert (HERE / test).is_file()
    assert f"tests/software/amd/{test}" in text
    for twin in re.findall(r"bf_\w+", twins):
        assert (hardware_folder() / "rtl" / f"{twin}.sv").is_file(), twin
        assert twin in text
    guard = name.upper().replace(".", "_")
    assert f"#ifndef {guard}\n#define {guard}\n" in text


def test_every_module_has_its_header() -> None:
    assert {f"{module.header}.hpp" for module in MODULES.values()} <= set(own_headers())


def test_missing_headers_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"has no ap_int\.h and no hls_stream\.h"):
        ap_types_folder(tmp_path)
    monkeypatch.setattr("bitfold.amd.hls_headers.find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match=r"pip install --no-deps hls4ml==1\.3\.0"):
        ap_types_folder()


def test_only_the_headers_that_are_needed_are_taken(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "ap_int.h").write_text("#include <etc/inner.h>\n#include <cmath>\n")
    (tmp_path / "etc" / "inner.h").write_text('#  include "../ap_int.h"\n#include "beside.h"\n')
    (tmp_path / "etc" / "beside.h").write_text("")
    (tmp_path / "hls_stream.h").write_text("")
    (tmp_path / "unused.h").write_text("")
    names = ["ap_int.h", "etc/beside.h", "etc/inner.h", "hls_stream.h"]
    assert sorted(ap_types(tmp_path)) == names
