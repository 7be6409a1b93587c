import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.synth import tools
from bitfold.synth.plan import BuildPlan, Command, LocalRunner, execute

PLAN = BuildPlan(
    name="demo",
    files={"rtl/a.sv": b"module a; endmodule\n", "synth.ys": b"read\n"},
    commands=(Command(tool="yosys", args=("synth.ys",), log="yosys.log"),),
    outputs=("out.txt",),
)


class FakeRunner:
    """Writes out.txt, or what it is told to do instead."""

    def __init__(self, status: int = 0, version: str = "yosys 1", text: str = "fine") -> None:
        self.status, self.version, self.text = status, version, text
        self.runs = 0

    def identity(self, tool: str) -> str:
        return self.version

    def run(self, command: Command, folder: Path, log: Path) -> int:
        self.runs += 1
        assert (folder / "rtl/a.sv").read_bytes() == PLAN.files["rtl/a.sv"]
        log.write_text("\n".join(f"line {i}" for i in range(40)))
        if self.status == 0 and self.text:
            (folder / "out.txt").write_text(self.text)
        return self.status


def test_digest_is_stable() -> None:
    # A literal: a change of it means that every finished build on every machine is made anew.
    assert PLAN.digest() == "25dc82e6253e36915618513bbccecf2f9c3f5f1ad6dcf8e485c714e3f9191bf5"
    turned = replace(PLAN, files=dict(reversed(PLAN.files.items())))
    assert turned.digest() == PLAN.digest()


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, name="demo2"),
        replace(PLAN, files={**PLAN.files, "rtl/a.sv": b"module a; endmodule\n\n"}),
        replace(PLAN, files={"rtl/b.sv": PLAN.files["rtl/a.sv"], "synth.ys": b"read\n"}),
        replace(PLAN, commands=(Command(tool="yosys", args=("x.ys",), log="yosys.log"),)),
        replace(PLAN, commands=PLAN.commands * 2),
        replace(PLAN, outputs=("out.txt", "more.txt")),
    ],
)
def test_digest_sees_every_part(other: BuildPlan) -> None:
    assert other.digest() != PLAN.digest()


def test_a_finished_build_is_reused_until_something_changes(tmp_path: Path) -> None:
    runner = FakeRunner()
    first = execute(PLAN, tmp_path, runner)
    again = execute(PLAN, tmp_path, runner)
    assert (first.reused, again.reused, runner.runs) == (False, True, 1)
    assert (again.folder, again.seconds, again.tools) == (first.folder, first.seconds, first.tools)
    assert (first.folder / "out.txt").read_text() == "fine"
    newer = execute(PLAN, tmp_path, FakeRunner(version="yosys 2"))
    assert not newer.reused
    assert newer.folder != first.folder


def test_a_failed_tool_shows_its_last_lines_and_keeps_its_log(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"(?s)yosys exited 7 .*yosys\.log\nline 25\n.*line 39$"):
        execute(PLAN, tmp_path, FakeRunner(status=7))
    (failed,) = tmp_path.iterdir()
    assert failed.suffix == ".failed"
    assert len((failed / "yosys.log").read_text().splitlines()) == 40
    assert not execute(PLAN, tmp_path, FakeRunner()).reused


def test_a_tool_that_writes_nothing_has_failed(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"without writing 'out\.txt'.*failed/yosys\.log$"):
        execute(PLAN, tmp_path, FakeRunner(text=""))
    (failed,) = tmp_path.iterdir()
    assert failed.suffix == ".failed"
    assert len((failed / "yosys.log").read_text().splitlines()) == 40


def _lose_output(folder: Path) -> None:
    (folder / "out.txt").unlink()


def _empty_record(folder: Path) -> None:
    (folder / "build.json").write_text("")


def _other_record(folder: Path) -> None:
    (folder / "build.json").write_text("[1]")


@pytest.mark.parametrize("damage", [_lose_output, _empty_record, _other_record])
def test_a_finished_build_that_lost_a_part_is_made_anew(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    damage(execute(PLAN, tmp_path, FakeRunner()).folder)
    again = execute(PLAN, tmp_path, FakeRunner())
    assert not again.reused
    assert (again.folder / "out.txt").read_text() == "fine"
    assert execute(PLAN, tmp_path, FakeRunner()).reused


def test_what_explains_a_failure_stands_in_place_of_the_last_lines(tmp_path: Path) -> None:
    def explain(work: Path) -> str | None:
        return f"line {len((work / 'yosys.log').read_text().splitlines())} says why"

    with pytest.raises(ToolFailed, match=r"^yosys: line 40 says why\. All .*failed/yosys\.log$"):
        execute(PLAN, tmp_path, FakeRunner(status=7), explain)
    with pytest.raises(ToolFailed, match=r"without writing 'out\.txt': line 40 says why\. All"):
        execute(PLAN, tmp_path, FakeRunner(text=""), explain)
    with pytest.raises(ToolFailed, match=r"(?s)yosys exited 7.*line 39$"):
        execute(PLAN, tmp_path, FakeRunner(status=7), lambda _: None)


def test_a_tool_that_cannot_be_started_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    class Forbidden(FakeRunner):
        def run(self, command: Command, folder: Path, log: Path) -> int:
            subprocess.run([str(folder / "synth.ys")], check=False)
            return 0

    words = r"^yosys cannot be started \(\[Errno 13\] Permission denied: '.*/synth\.ys'\)$"
    with pytest.raises(ToolFailed, match=words):
        execute(PLAN, tmp_path, Forbidden())
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(FakeRunner):
        def run(self, command: Command, folder: Path, log: Path) -> int:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(PLAN, tmp_path, Interrupted())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ToolFailed, match=r"No space left on device.*is the disk full"):
        execute(PLAN, tmp_path, FakeRunner())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ToolFailed, match=r"cannot write the build 'demo' \(\[Errno 20\] Not a.*\)$"
    ):
        execute(PLAN, tmp_path / "file" / "cache", FakeRunner())


_KILLED = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from test_plan import PLAN, FakeRunner
from bitfold.synth.plan import execute
class Slow(FakeRunner):
    def run(self, command, folder, log):
        (folder / "out.txt").write_text("half")
        print("running", flush=True)
        time.sleep(60)
execute(PLAN, Path({cache!r}), Slow())
"""


def test_a_killed_build_looks_unfinished_and_is_swept_away(tmp_path: Path) -> None:
    code = _KILLED.format(path=[str(Path(__file__).parent), *sys.path], cache=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"running\n"
        child.send_signal(signal.SIGKILL)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".demo-")
    built = execute(PLAN, tmp_path, FakeRunner())
    assert not built.reused
    assert (built.folder / "out.txt").read_text() == "fine"
    assert list(tmp_path.iterdir()) == [built.folder]


def test_a_running_build_is_not_swept_away(tmp_path: Path) -> None:
    built = execute(PLAN, tmp_path, FakeRunner())
    alive = tmp_path / f".{built.folder.name}-{os.getppid()}"
    built.folder.rename(alive)
    execute(PLAN, tmp_path, FakeRunner())
    assert alive.is_dir()


def test_a_missing_tool_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    for name, tool in tools.TOOLS.items():
        with pytest.raises(ToolNotFound, match=f"^{name} not found; install it with: pip install"):
            LocalRunner().identity(name)
        assert "==" in tool.pip


def test_a_missing_tool_is_found_out_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound):
        execute(PLAN, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_local_runner_gives_status_and_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tools.Tool(
        module="sys", package="x", pip="x==1", code="import sys; print(sys.argv[1]); sys.exit(3)"
    )
    monkeypatch.setitem(tools.TOOLS, "fake", tool)
    command = Command(tool="fake", args=("hello",), log="fake.log")
    assert LocalRunner().run(command, tmp_path, tmp_path / "fake.log") == 3
    assert (tmp_path / "fake.log").read_text() == "hello\n"
