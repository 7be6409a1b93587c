import errno
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bitfold.cli import main
from bitfold.errors import ConfigError

HEAVY = ("torch", "onnx", "onnxruntime", "numpy", "scipy", "rich", "pydantic", "serial")


def failing(error: BaseException) -> click.Command:
    @click.command("fails")
    def command() -> None:
        raise error

    return command


@pytest.fixture
def run_failing(monkeypatch: pytest.MonkeyPatch):
    def call(error: BaseException, *options: str) -> int:
        monkeypatch.setattr(main.cli, "get_command", lambda _ctx, _name: failing(error))
        return main.run([*options, "fails"])

    return call


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in main.COMMANDS)])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom bitfold.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_an_example_and_few_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example:\n    bitfold {name} " in text
    options = [line for line in text.splitlines() if line.startswith("  -")]
    assert len(options) <= 7, "six options and --help"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    lines = capsys.readouterr().out.split("Commands:")[1].splitlines()
    listed = [line.split()[0] for line in lines if re.match(r"  \S", line)]
    assert listed == list(main.COMMANDS)


def test_our_error_is_one_message_and_exit_2(run_failing, capsys) -> None:
    assert run_failing(ConfigError("run.toml: wrong; do it right")) == 2
    assert capsys.readouterr().err == "bitfold: run.toml: wrong; do it right\n"


def test_debug_adds_the_traceback(run_failing, capsys) -> None:
    assert run_failing(ConfigError("wrong"), "--debug") == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("bitfold: wrong\n")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EFBIG])
def test_the_systems_refusal_is_one_line_and_exit_2(run_failing, capsys, code: int) -> None:
    import os

    assert run_failing(OSError(code, os.strerror(code), "build/x.json")) == 2
    assert capsys.readouterr().err == f"bitfold: build/x.json: {os.strerror(code)}\n"


def test_interrupt_is_one_line_and_exit_130(run_failing, capsys) -> None:
    assert run_failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.strip() == "bitfold: interrupted"


def test_our_own_bug_is_not_hidden(run_failing) -> None:
    with pytest.raises(ZeroDivisionError):
        run_failing(ZeroDivisionError())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serach"], "No such command 'serach'"),
        (["compile", "missing.onnx"], "missing.onnx"),
        (["compile"], "Missing argument"),
        (["synth", ".", "--targt", "xc7"], "No such option"),
        (["verify", "--frames", "0", "."], "--frames"),
    ],
)
def test_a_wrong_command_line_is_exit_2(arguments: list[str], says: str, capsys) -> None:
    assert main.run(arguments) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "."], "manifest.json: not found"),
        (["synth", "."], "manifest.json: not found"),
        (["bitstream", "."], "manifest.json: not found"),
        (["run", ".", "--port", "/dev/none"], "manifest.json: not found"),
        (["report", "."], "bitfold search"),
        (["calibrate", "--target", "xc8"], "xc8"),
    ],
)
def test_an_empty_folder_is_exit_2(
    arguments: list[str], says: str, capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(arguments) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"not onnx", b"\x08\x08\x12\x04abcd"])
@pytest.mark.parametrize("name", ["cost", "compile"])
def test_a_file_that_is_no_model_is_exit_2(name: str, content: bytes, capsys, tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert main.run([name, str(path)]) == 2
    assert str(path) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_file_with_a_wrong_key_is_exit_2(capsys, tmp_path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[data]\nname = "digits"\n[serach]\n')
    assert main.run(["search", str(path)]) == 2
    assert "did you mean 'search'" in capsys.readouterr().err
