"""Whole networks as C++: every integer the golden model's, every loop as long as predicted."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hls_units import CACHE

from bitfold.amd.hls import write_hls
from bitfold.amd.hls_csim import csim
from bitfold.compiler.compile import compile_graph, compile_model
from bitfold.compiler.design import Design
from bitfold.compiler.pipeline import run_pipeline
from bitfold.errors import ArtefactError, ConfigError, MismatchError, UnsupportedOp
from bitfold.ir import Graph
from branch_graphs import GRAPHS, Branches
from demo_net import demo_model

FRAMES = 6


def lines() -> Graph:
    """Products, a depthwise layer and a sum whose codes are divisions."""
    b = Branches(np.random.default_rng(4))
    rng = np.random.default_rng(5)
    x = b.line(b.conv(b.input((2, 4, 4), 8), 4, 3, 4), 8, False, rng)
    y = b.line(b.conv(x, 4, 3, 3, groups=4), 7, True, rng)
    b.dense(b.line(b.sum_pool(b.line(b.sum(x, y), 8, True, rng, floor=True)), 8, False, rng), 5)
    return b.graph()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Design:
    """The digits demo's network with drawn weights."""
    folder = tmp_path_factory.mktemp("demo")
    return compile_model(demo_model(folder / "model.onnx"), folder / "design", fps=10_000)


def samples_of(design: Design, folder: Path) -> Path:
    """Few, as a file."""
    kind = design.graph().input_type
    x = np.random.default_rng(3).random((FRAMES, *kind.shape)).astype(np.float32)
    np.savez(folder / "some.npz", x=(x * kind.max + kind.min * (1 - x)).astype(np.float32))
    return folder / "some.npz"


@pytest.mark.slow
def test_the_demos_network(demo: Design, tmp_path: Path) -> None:
    out = tmp_path / "hls"
    write_hls(demo, out, samples=samples_of(demo, tmp_path))
    found = csim(demo, out, CACHE, level=0)
    assert found.exact
    assert (found.frames, found.outputs, found.mismatches) == (FRAMES, 10 * FRAMES, 0)
    paces = {p.stage: p for p in found.stages}
    assert all(p.rounds == p.cycles for p in found.stages), paces
    assert max(p.rounds for p in found.stages) == demo.predicted["interval_cycles"]
    written = json.loads((out / "csim.json").read_text())
    assert written["exact"] is True
    assert written["loops"][0] == {
        "stage": "input",
        "loop": "axis_in_loop",
        "rounds": FRAMES * 64 * 5,
        "predicted": FRAMES * 64 * 5,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["upscaled", "lines"])
def test_networks_with_branches_and_dividers(name: str, tmp_path: Path) -> None:
    graph = run_pipeline(lines() if name == "lines" else GRAPHS[name]())
    source = {"file": name, "sha256": ""}
    design = compile_graph(graph, tmp_path / "design", source=source, fps=20_000)
    if name == "lines":
        assert any(getattr(s, "divider", None) for s in design.stages)
    write_hls(design, tmp_path / "hls", samples=samples_of(design, tmp_path))
    found = csim(design, tmp_path / "hls", CACHE, level=0)
    assert found.exact
    assert found.mismatches == 0


@pytest.mark.slow
def test_a_wrong_golden_integer_is_seen_and_recorded(demo: Design, tmp_path: Path) -> None:
    out = tmp_path / "hls"
    write_hls(demo, out, samples=samples_of(demo, tmp_path))
    golden = out / "vectors" / "golden.txt"
    first, rest = golden.read_text().split(" ", 1)
    golden.write_text(f"{int(first) + 1} {rest}")
    with pytest.raises(MismatchError, match=r"1 of 60 integers differ.*csim\.json"):
        csim(demo, out, CACHE, level=0)
    written = json.loads((out / "csim.json").read_text())
    assert (written["exact"], written["mismatches"]) == (False, 1)


def test_the_folder_is_whole(demo: Design, tmp_path: Path) -> None:
    out = tmp_path / "hls"
    write_hls(demo, out, part="xczu5ev-sfvc784-1-e")
    network = (out / "network.cpp").read_text()
    for included in re.findall(r'#include "([^"]+)"', network + (out / "network.hpp").read_text()):
        assert (out / included).is_file() or (out / "include" / included).is_file(), included
    for pragma in ("axis port=s_axis", "axis port=m_axis", "s_axilite port=return", "DATAFLOW"):
        assert f"#pragma HLS {pragma}" in network.replace("INTERFACE ", "")
    script = (out / "run_hls.tcl").read_text()
    assert "set part {xczu5ev-sfvc784-1-e}" in script
    assert "set clock_ns 20\n" in script
    for named in re.findall(r"add_files (?:-tb )?(\S+)", script):
        assert (out / named).exists(), named
    about = json.loads((out / "hls.json").read_text())
    assert (about["samples"], about["frames"]) == ("random", 50)
    assert len((out / "vectors" / "inputs.txt").read_text().splitlines()) == 50


def test_the_same_design_gives_the_same_files(demo: Design, tmp_path: Path) -> None:
    write_hls(demo, tmp_path / "one")
    write_hls(demo, tmp_path / "two")
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file():
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes(), path


def test_precision_modes_are_refused(demo: Design, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 2 precision modes.*Use the RTL"):
        write_hls(replace(demo, modes=({}, {})), tmp_path / "hls")
    assert list(tmp_path.iterdir()) == []


def test_a_stage_without_a_header_is_refused(
    demo: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bitfold.amd import hls_network

    known = {k: v for k, v in hls_network.MODULES.items() if k != "bf_maxpool"}
    monkeypatch.setattr(hls_network, "MODULES", known)
    with pytest.raises(UnsupportedOp, match=r"stage 'MaxPool_\d+' \(bf_maxpool\) has no C\+\+"):
        write_hls(demo, tmp_path / "hls")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_part_is_refused(demo: Design, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--part 'zynq' is no part"):
        write_hls(demo, tmp_path / "hls", part="zynq")


def test_a_damaged_memory_image_is_named(demo: Design, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path / "design")
    next((tmp_path / "design" / "mem").glob("*_weights.mem")).write_text("xyz\n")
    with pytest.raises(ArtefactError, match=r"_weights\.mem.*bitfold compile"):
        write_hls(replace(demo, folder=tmp_path / "design"), tmp_path / "hls")
    assert not (tmp_path / "hls").exists()


def test_samples_without_a_frame_are_refused(demo: Design, tmp_path: Path) -> None:
    np.savez(tmp_path / "none.npz", x=np.zeros((0, 1, 8, 8), np.float32))
    with pytest.raises(ArtefactError, match=r"none\.npz: holds no sample"):
        write_hls(demo, tmp_path / "hls", samples=tmp_path / "none.npz")
    assert not (tmp_path / "hls").exists()
