"""Builds of simulators, and what they share."""

import os
from pathlib import Path

import pytest

from bitfold.hardware import hardware_folder
from bitfold.sim.shared_parts import shared_folder
from bitfold.sim.verilator import build

pytestmark = pytest.mark.rtl

SOURCES = [hardware_folder() / "rtl" / "bf_skid.sv"]


@pytest.fixture
def cache(verilator_cache: Path, tmp_path: Path) -> Path:
    """With what simulators share and none of them."""
    build(SOURCES, "bf_skid", verilator_cache)
    runtime = shared_folder(tmp_path / "cache")
    runtime.mkdir(parents=True)
    for path in shared_folder(verilator_cache).iterdir():
        os.link(path, runtime / path.name)
    return runtime.parent


def test_a_second_build_is_the_first(cache: Path) -> None:
    first = build(SOURCES, "bf_skid", cache)
    again = build(SOURCES, "bf_skid", cache)
    assert first.seconds > 0
    assert (again.executable, again.seconds) == (first.executable, 0.0)
    assert [path.name for path in first.executable.parent.iterdir()] == ["bf_skid"]


def test_headers_of_another_compiler_are_not_used(cache: Path) -> None:
    for path in shared_folder(cache).glob("*.gch"):
        path.unlink()
        path.write_bytes(b"gpch of another g++")
    assert build(SOURCES, "bf_skid", cache).executable.exists()


def test_a_build_adds_nothing_to_what_is_shared(cache: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in shared_folder(cache).iterdir()}
    build(SOURCES, "bf_skid", cache)
    after = {path.name: path.stat().st_mtime_ns for path in shared_folder(cache).iterdir()}
    assert after == before
    assert {"verilated.o", "headers.h.fast.gch", "headers.h.slow.gch"} <= set(after)
    assert not [name for name in after if name.startswith(".")]
