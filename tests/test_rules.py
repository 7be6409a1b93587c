"""Rules about the source that no other tool checks."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOFTWARE = ROOT / "software" / "bitfold"


def _files(pattern: str, folder: Path = SOFTWARE) -> list[Path]:
    found = (path for path in folder.rglob(pattern) if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def test_programs_are_run_by_sim_and_synth_alone() -> None:
    users = {
        path.relative_to(SOFTWARE).parts[0]
        for path in _files("*.py")
        if re.search(r"^\s*(import|from) subprocess|os\.system|os\.popen", path.read_text(), re.M)
    }
    assert users <= {"sim", "synth"}


def test_the_library_does_not_print_or_exit() -> None:
    allowed = {"cli"}
    for path in _files("*.py"):
        text = path.read_text()
        # A file that is a program of its own may speak.
        if path.relative_to(SOFTWARE).parts[0] in allowed or '__name__ == "__main__"' in text:
            continue
        found = re.findall(r"^\s*(?:print|sys\.exit|exit)\(.*", text, re.M)
        # Benches run inside the simulator, where a print is the simulator's log.
        assert not found or "benches" in path.parts, f"{path}: {found}"


def test_files_stay_readable() -> None:
    scripts = [p for p in _files("*", ROOT / "scripts") if b"\0" not in p.read_bytes()]
    sources = [*_files("*.py"), *_files("*.py", ROOT / "tests"), *scripts]
    long = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources}
    assert {name: n for name, n in long.items() if n > 400} == {}


def test_no_addresses_of_registries_and_no_lock_file() -> None:
    assert not (ROOT / "uv.lock").exists()
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run", "scripts/setup"):
        assert "://" not in (ROOT / name).read_text(), name


def test_every_make_target_calls_one_line() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [n for n, line in enumerate(lines) if re.match(r"[a-z]+:", line)]
    for n in targets:
        assert lines[n + 1].startswith("\t@"), lines[n]
        assert n + 2 == len(lines) or not lines[n + 2].startswith("\t"), lines[n]
    assert {re.match("[a-z]+", lines[n])[0] for n in targets} == set(
        re.search(r"\.PHONY: (.*)", "\n".join(lines))[1].split()
    )
