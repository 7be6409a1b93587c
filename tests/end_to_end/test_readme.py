"""What the README shows is run, or at least exists."""

import re
import shutil
from pathlib import Path

import pytest

from bitfold.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_command_is_shown_and_every_shown_command_exists() -> None:
    shown = set(re.findall(r"`bitfold ([a-z][a-z-]*) ", README))
    assert shown == set(main.COMMANDS)
    assert set(re.findall(r"`make ([a-z]+)`", README)) == {"demo", "check", "bench", "formal"}


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`(bitfold [a-z][a-z-]* [^`]*)`", README))))
def test_the_options_shown_exist(line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """Run where no file is: click takes the options, and then misses the file."""
    monkeypatch.chdir(tmp_path)
    arguments = line.split()[1:]
    if arguments[0] == "calibrate":
        arguments[-1] = "none"
    assert main.run(arguments) == 2
    err = capsys.readouterr().err
    assert "No such option" not in err
    assert "does not exist" in err or "unknown" in err


def test_paths_shown_exist() -> None:
    for path in re.findall(r"(?:software|hardware|scripts|runs|tests)/[\w./-]*\w", README):
        assert (ROOT / path).exists(), path
    assert (ROOT / "software" / "bitfold" / "report" / "report.png").read_bytes()[:4] == b"\x89PNG"


def test_it_stays_short() -> None:
    assert len(README.splitlines()) < 200


@pytest.mark.rtl
@pytest.mark.slow
def test_the_example_runs(searched: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    shutil.copytree(searched, tmp_path / "build" / "digits")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len([line for line in code.splitlines() if line]) <= 10
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert re.search(r"^\d+ LUTs, \d+ frames a second$", out, re.M)
    assert "0 of 600 integers differ, cycles exact: True" in out
