"""A tool's own Python environment: made once, never in the place of something else."""

import subprocess
import sys
from pathlib import Path

import pytest

from bitfold.errors import ConfigError, ToolNotFound
from bitfold.synth.environment import Environment, environment_there, make_environment

NONE = Environment(tool="./none-here", requirements="")  # a path, for which nobody asks an index

_MAKE = """
import subprocess, sys, time
from pathlib import Path
from bitfold.synth import environment
def step(words, **_):
    with open(sys.argv[2], "a") as calls:
        calls.write("made\\n")
    time.sleep(0.5)
    return subprocess.CompletedProcess(words, 0, "", "")
environment.subprocess.run = step
wanted = environment.Environment(tool="tool==1", requirements="")
print(environment.make_environment(wanted, Path(sys.argv[1])))
"""


def test_what_cannot_be_installed_is_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolNotFound, match=r"(?s)cannot set up \./none-here.*package index"):
        make_environment(NONE, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_folder_with_something_else_in_it_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(ConfigError, match=r"would be replaced whole, but holds thesis\.tex"):
        make_environment(NONE, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years"


def test_a_half_made_one_is_made_anew(tmp_path: Path) -> None:
    home, calls = tmp_path / "home", tmp_path / "calls"
    make = [sys.executable, "-c", _MAKE, str(home), str(calls)]
    subprocess.run(make, check=True)
    assert environment_there(Environment(tool="tool==1", requirements=""), home)
    (home / "half").touch()
    (home / ".bitfold-complete").write_text("")
    subprocess.run(make, check=True)
    assert calls.read_text().count("made") == 6
    assert not (home / "half").exists()


def test_of_two_processes_one_makes_it(tmp_path: Path) -> None:
    make = [sys.executable, "-c", _MAKE, str(tmp_path / "home"), str(tmp_path / "calls")]
    for child in [subprocess.Popen(make, stdout=subprocess.DEVNULL) for _ in range(2)]:
        assert child.wait() == 0
    assert (tmp_path / "calls").read_text().count("made") == 3
