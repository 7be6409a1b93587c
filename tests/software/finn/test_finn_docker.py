"""How FINN's container is started, by a stand-in, and what is missing around it."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from stand_in_finn import build

from bitfold.errors import ToolNotFound
from bitfold.finn.build import finn_bitstream, finn_plan
from bitfold.synth import finn_docker
from bitfold.synth.finn_docker import COMMIT, EXTRA, LICENCE, PLACE, VERSION, FinnDocker


def test_the_container_starts_as_finn_documents_it(demo: Path, around: Path) -> None:
    said = build(demo, around)
    assert "top.bit" in said
    where, extra, scratch, *words = (around / "calls.txt").read_text().splitlines()
    assert Path(where) == around / "clone"
    assert words[0] == "python"
    folder = Path(words[1]).parent
    assert Path(words[1]).name == "build.py"
    assert extra.strip() == f"-v {folder}:{folder}"
    assert Path(scratch).parent == folder
    assert (around / "made/top.bit").read_text() == "bits\n"
    assert (around / "made/top.hwh").is_file()
    record = json.loads((around / "made/synth.json").read_text())
    assert record["reports"] == {"post_synth_resources": {"LUT": 12}}
    assert "Vivado 2022.2" in record["tools"]["finn"]


def test_a_licence_file_is_mounted_and_a_server_reached(around, monkeypatch) -> None:
    command = finn_plan({"build.py": b""}).commands[0]
    runner = FinnDocker(clone=around / "clone")
    (around / "lic.dat").write_text("")
    monkeypatch.setenv(LICENCE, str(around / "lic.dat"))
    extra = runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    assert f"-v {around / 'lic.dat'}:{around / 'lic.dat'}" in extra
    assert "--network=host" not in extra
    monkeypatch.setenv(LICENCE, "2100@server")
    assert "--network=host" in runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    monkeypatch.setenv(LICENCE, f"2100@server:{around / 'lic.dat'}")
    extra = runner.start(command, around)[1]["FINN_DOCKER_EXTRA"]
    words = f":{around / 'lic.dat'} --network=host -e {LICENCE}=2100@server:{around}"
    assert words in extra
    monkeypatch.setenv(LICENCE, str(around / "gone.dat"))
    with pytest.raises(ToolNotFound, match=r"gone\.dat', which is no file and no port@host"):
        runner.start(command, around)


def test_what_the_user_gives_docker_stays(demo, around, monkeypatch) -> None:
    monkeypatch.setenv(EXTRA, " -e NAME=value ")
    build(demo, around)
    extra = (around / "calls.txt").read_text().splitlines()[1]
    assert extra.split()[:3] == ["-e", "NAME=value", "-v"]


@pytest.mark.parametrize("name", ["a b", "a:b", "a*"])
def test_a_path_that_finns_script_would_take_apart_is_refused(name, demo, around) -> None:
    (around / name).mkdir()
    other = demo.rename(around / name / "model.onnx")
    said = build(other, around)
    assert f"{name}/cache/finn/.finn-bitstream-" in said
    assert f"has {name[1]!r} in its path, at which FINN's run-docker.sh takes it apart" in said
    assert not (around / "calls.txt").exists()
    assert list((other.parent / "cache/finn").iterdir()) == []
    (around / "clone").rename(around / name / "clone")
    other = other.rename(around / "model.onnx")
    said = build(other, around, "--finn", str(around / name / "clone"))
    assert f"{name}/clone: FINN's clone has" in said


def test_a_container_that_outlived_a_killed_bitfold_is_removed(demo, around, monkeypatch) -> None:
    build(demo, around)
    name = (around / "calls.txt.name").read_text().strip()
    assert name.startswith("bitfold.finn-bitstream-")
    dead = f"{name.rpartition('-')[0]}-999999999"
    (around / "calls.txt.running").write_text(f"{dead}\n")
    for path in (around / "cache/finn").iterdir():
        path.rename(around / path.name)
    build(demo, around)
    assert f"rm --force {dead}" in (around / "calls.txt.docker").read_text().splitlines()


def test_an_interrupt_takes_the_container_along(demo, around, monkeypatch, request) -> None:
    monkeypatch.setenv("MANNER", "interrupted")
    # Whoever starts tests in the background has interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    build(demo, around)
    name = (around / "calls.txt.name").read_text().strip()
    assert f"rm --force {name}" in (around / "calls.txt.docker").read_text().splitlines()
    assert list((around / "cache/finn").iterdir()) == []


def test_what_is_missing_is_named(demo: Path, around: Path, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", "dead")
    assert "docker info failed (Cannot connect to the Docker daemon)" in build(demo, around)
    monkeypatch.setenv("MANNER", "good")
    monkeypatch.setenv(VERSION, "2024.1")
    assert "no Vivado 2024.1" in build(demo, around)
    monkeypatch.setenv(VERSION, "newest")
    assert "must be a version as in 2022.2" in build(demo, around)
    monkeypatch.setenv(VERSION, "2024.2")
    assert "xilinx: no Vitis HLS 2024.2 in it" in build(demo, around)
    monkeypatch.setenv(VERSION, "2019.1")
    assert "is 2019.1; FINN's builds here take 2022.2 to 2025.2" in build(demo, around)
    monkeypatch.setenv(PLACE, "xilinx")
    assert "must be an absolute path, got 'xilinx'" in build(demo, around)
    monkeypatch.delenv(VERSION)
    assert f"{PLACE} and {VERSION} are not set" in build(demo, around)
    (around / "clone/run-docker.sh").unlink()
    assert "name a clone of FINN's repository" in build(demo, around)


def test_without_docker_it_says_so(around: Path, monkeypatch) -> None:
    runner = FinnDocker(clone=around / "clone")
    monkeypatch.setenv("PATH", str(around))
    with pytest.raises(ToolNotFound, match="docker not found on PATH"):
        finn_bitstream({"build.py": b""}, runner, around / "made", around / "cache")


def committed(clone: Path) -> str:
    """Make a clone of it; its commit."""
    author = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "m"]):
        subprocess.run(["git", "-C", str(clone), *words], check=True)
    made = subprocess.run(
        ["git", "-C", str(clone), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    return made.stdout.strip()


def test_another_commit_of_finn_is_warned_of_and_named(
    demo: Path, around: Path, monkeypatch
) -> None:
    words = f"warning: {around / 'clone'} is at no known commit; this was made for FINN's {COMMIT}"
    assert words in build(demo, around)
    found = committed(around / "clone")
    said = build(demo, around)
    assert f"is at {found[:7]}; this" in said
    assert f"git -C {around / 'clone'} checkout {COMMIT}" in said
    record = json.loads((around / "made/synth.json").read_text())
    assert record["tools"]["finn"].startswith(f"finn {found}, ")
    monkeypatch.setattr(finn_docker, "COMMIT", found[:7])
    assert "warning" not in build(demo, around)


def test_a_folder_inside_another_repository_has_no_commit(around: Path) -> None:
    committed(around)
    assert FinnDocker(clone=around / "clone").commit() is None


def test_without_git_the_commit_is_not_known(around: Path, monkeypatch) -> None:
    committed(around / "clone")
    monkeypatch.setenv("PATH", str(around))
    assert FinnDocker(clone=around / "clone").commit() is None


def test_finns_image_is_built_at_that_commit_alone(around: Path) -> None:
    found = committed(around / "clone")
    given = [str(Path(__file__).parents[3] / "scripts/finn_image"), str(around / "clone")]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"is at {found}, not at {COMMIT}; change it with: git -C" in done.stderr
    assert not (around / "calls.txt").exists()
