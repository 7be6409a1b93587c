"""`--runner docker` against a stand-in for docker, which notes its words and runs what it is to."""

import csv
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bitfold.cli.main import run
from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.synth.docker import BUILD_IMAGE, IMAGE, DockerRunner
from bitfold.synth.plan import BuildPlan, Command, execute
from toy_design import toy_design

DOCKER = f"""#!{sys.executable}
import json, os, signal, sys
words, here, manner = sys.argv[1:], os.path.dirname(__file__), os.environ["MANNER"]
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
def end(text, status=1):
    print(text, file=sys.stderr)
    sys.exit(status)
if words[0] == "info":
    if manner == "dead":
        end("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?")
    print('["name=seccomp", "name=rootless"]' if manner == "rootless" else "null")
elif words[0] == "image":
    if manner == "no image":
        end("Error response from daemon: No such image: " + words[-1])
    print("sha256:0123456789abcdef")
elif words[0] == "ps":
    print(open(here + "/running").read() if os.path.exists(here + "/running") else "")
elif words[0] == "run":
    if "--name" in words:
        if manner == "full":
            end("docker: write /var/lib/docker/overlay2/x: no space left on device.", 125)
        if manner == "killed":
            sys.exit(137)
        if manner == "interrupted":
            os.kill(os.getppid(), signal.SIGINT)
            sys.exit(130)
        os.chdir(words[words.index("--workdir") + 1])
    elif manner == "no tool":
        end("bitfold: yosys not found")
    os.execv(sys.executable, [sys.executable, *words[words.index("--entrypoint") + 3:]])
"""
PLAN = BuildPlan(
    name="demo",
    files={"synth.ys": b"tee -o out.txt log what yosys says\n"},
    commands=(Command(tool="yosys", args=("synth.ys",), log="yosys.log"),),
    outputs=("out.txt",),
)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in; MANNER says how it behaves."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MANNER", "good")
    return folder


def calls(docker: Path, word: str) -> list[list[str]]:
    words = map(json.loads, (docker / "calls").read_text().splitlines())
    return [each for each in words if each[0] == word]


def after(words: list[str], option: str) -> list[str]:
    return [words[n + 1] for n, word in enumerate(words) if word == option]


def test_a_plan_runs_in_the_image_as_its_caller_without_a_network(
    docker: Path, tmp_path: Path
) -> None:
    built = execute(PLAN, tmp_path / "cache", DockerRunner())
    assert "what yosys says" in (built.folder / "out.txt").read_text()
    assert built.tools == {"yosys": "pyosys 0.70 in image 0123456789ab"}
    asked, words = calls(docker, "run")
    assert "--name" not in asked
    assert {"--rm", "--init"} <= set(words)
    assert after(words, "--network") == ["none"]
    assert after(words, "--pull") == ["never"]
    assert after(words, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    (where,) = after(words, "--workdir")
    kept = tmp_path / "cache/in-docker"
    mounts = [f'type=bind,"source={path}","target={path}"' for path in (where, kept)]
    assert after(words, "--mount") == mounts
    assert after(words, "--env") == [f"YOWASP_CACHE_DIR={kept}"]
    assert Path(where).parent == tmp_path / "cache"
    assert words[words.index("--entrypoint") + 1 :][:3] == ["python", IMAGE, "-c"]


def test_a_mount_is_a_line_of_csv_whatever_the_path(docker: Path, tmp_path: Path) -> None:
    cache = tmp_path / 'a, "b" c:d=é'
    execute(PLAN, cache, DockerRunner())
    words = calls(docker, "run")[-1]
    (where,) = after(words, "--workdir")
    for line, path in zip(after(words, "--mount"), (where, cache / "in-docker"), strict=True):
        assert next(csv.reader([line])) == ["type=bind", f"source={path}", f"target={path}"]


def test_a_build_of_the_image_is_found_again_and_is_not_that_of_this_machine(
    docker: Path, tmp_path: Path
) -> None:
    first = execute(PLAN, tmp_path, DockerRunner())
    again = execute(PLAN, tmp_path, DockerRunner())
    here = execute(PLAN, tmp_path)
    assert (again.reused, here.reused) == (True, False)
    assert again.folder == first.folder != here.folder
    assert (here.folder / "out.txt").read_text() == (first.folder / "out.txt").read_text()


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("dead", r"^docker info failed \(Cannot connect to the Docker daemon.*start Docker"),
        ("no image", rf"^image {IMAGE} is not there.*No such image.*{BUILD_IMAGE}$"),
        ("no tool", rf"^image {IMAGE}: it has no yosys .*{BUILD_IMAGE}$"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(
    manner: str, words: str, docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANNER", manner)
    with pytest.raises(ToolNotFound, match=words):
        execute(PLAN, tmp_path / "cache", DockerRunner())
    assert not (tmp_path / "cache").exists()


def test_without_docker_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFound, match=r"^docker not found on PATH; --runner docker"):
        execute(PLAN, tmp_path, DockerRunner())


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("full", r"^yosys: the disk of .*cache is full; make room and start again\. "),
        ("killed", r"^yosys: killed by SIGKILL, perhaps for want of memory; start the build again"),
    ],
)
def test_a_build_that_was_stopped_is_one_message_and_starts_again(
    manner: str, words: str, docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANNER", manner)
    with pytest.raises(ToolFailed, match=words):
        execute(PLAN, tmp_path / "cache", DockerRunner())
    monkeypatch.setenv("MANNER", "good")
    assert not execute(PLAN, tmp_path / "cache", DockerRunner()).reused


def test_an_interrupt_takes_the_container_along(
    docker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("MANNER", "interrupted")
    # Whoever starts tests in the background has interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with pytest.raises(KeyboardInterrupt):
        execute(PLAN, tmp_path / "cache", DockerRunner())
    (name,) = after(calls(docker, "run")[-1], "--name")
    assert calls(docker, "rm") == [["rm", "--force", name]]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["in-docker"]


def test_containers_that_outlived_a_killed_bitfold_are_removed_and_no_others(
    docker: Path, tmp_path: Path
) -> None:
    built = execute(PLAN, tmp_path, DockerRunner())
    dead, alive = f"bitfold.{built.folder.name}-999999999", f"bitfold.{built.folder.name}-1"
    (docker / "running").write_text(f"{dead}\n{alive}\nbitfold.{built.folder.name}-x\n")
    built.folder.rename(tmp_path / "elsewhere")
    execute(PLAN, tmp_path, DockerRunner())
    assert calls(docker, "rm") == [["rm", "--force", dead]]
    assert after(calls(docker, "ps")[-1], "--filter") == [f"name=bitfold.{built.folder.name}-"]


def test_under_rootless_docker_the_caller_is_root_inside(
    docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANNER", "rootless")
    execute(PLAN, tmp_path, DockerRunner())
    assert after(calls(docker, "run")[-1], "--user") == ["0:0"]


@pytest.mark.synth
def test_the_commands_take_it_and_give_the_same_figures(docker: Path, tmp_path: Path) -> None:
    figures = []
    for runner in ("local", "docker"):
        design = toy_design(tmp_path / runner / "design").folder
        given = ["synth", str(design), "--target", "xc7", "--runner", runner]
        assert run(given) == 0
        figures.append(json.loads((design / "synth-xc7.json").read_text()))
    assert "in image" in figures[1].pop("tools")["yosys"]
    assert "in image" not in figures[0].pop("tools")["yosys"]
    assert figures[0].pop("seconds") > 0
    assert figures[1].pop("seconds") > 0
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    "given", [["synth", "--backend", "vivado"], ["bitstream", "--board", "pynq-z1"]]
)
def test_vivado_is_not_in_the_image(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = str(toy_design(tmp_path / "design").folder)
    assert run([given[0], design, *given[1:], "--runner", "docker"]) == 2
    assert "--runner docker: Vivado is not in bitfold's image" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("docker/open.Dockerfile", BUILD_IMAGE),
        ("docker/README.md", BUILD_IMAGE),
        ("README.md", BUILD_IMAGE),
        ("scripts/docker_check", f'"{IMAGE}"'),
    ],
)
def test_documents_and_scripts_name_the_image_that_the_runner_asks_for(
    name: str, words: str
) -> None:
    assert words in (Path(__file__).parents[3] / name).read_text()
