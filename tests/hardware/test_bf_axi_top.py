"""bf_axi_top as it is packaged for Vivado: the files of the build's src/, in the simulator."""

from pathlib import Path

import numpy as np
import pytest
from harness import CACHE, HERE, WAIVERS
from numpy.typing import NDArray

from bitfold.amd.vivado_source import image_complaints, packaged_source
from bitfold.amd.vivado_top import stream_of
from bitfold.compiler.compile import compile_graph, compile_model
from bitfold.compiler.design import Design, frame_bytes
from bitfold.errors import ConfigError
from bitfold.sim.modes import ModeRun
from bitfold.sim.samples import random_samples
from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import build, lint
from bitfold.synth.flow import synth_source
from bitfold.synth.source import design_id
from demo_net import demo_model
from integer_graphs import branching, mlp
from mode_graphs import modes_of
from toy_design import FRAME_BYTES, golden, toy_design

pytestmark = pytest.mark.rtl


def padded(design: Design, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames (N, bytes) as the DMA reads them; the padding is noise, which must not matter."""
    stream = stream_of(design)
    noise = np.random.default_rng(3).integers(
        0, 256, (len(frames), stream.beats, stream.bus_bytes), np.uint8
    )
    noise[:, :, : stream.beat_bytes] = frames.reshape(len(frames), stream.beats, -1)
    return noise.reshape(len(frames), -1)


def check(
    design: Design,
    frames: NDArray[np.uint8],
    wanted: NDArray[np.int64],
    *,
    batches: tuple[int, ...],
    work: Path,
    modes: tuple[int, ...] = (),
) -> None:
    source = packaged_source(design, "xc7")
    assert image_complaints(source) == ()
    work.mkdir()
    for name, content in {**source.rtl, **source.data}.items():
        (work / name).write_bytes(content)  # the simulator reads images from where it runs
    files = [WAIVERS, *(work / name for name in sorted(source.rtl))]
    assert lint(files, source.top, {}) == ""
    built = build(files, source.top, CACHE)
    number, stream = design_id(design), stream_of(design)
    about = [number >> 32, number & 0xFFFFFFFF, stream.frame_bytes, stream.outputs]
    np.savez(
        work / "vectors.npz",
        frames=padded(design, frames),
        golden=wanted,
        batches=batches,
        modes=np.array(modes, np.int64),
        about=np.array(about, np.int64),
    )
    results = simulate(built, "bench_bf_axi_top", work, search=[HERE])
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    assert len(results) == 5
    assert not failed, "\n".join([*failed, (work / "sim.log").read_text()[-3000:]])
    for name in ("full_rate", "stalls"):
        assert (np.load(work / f"{name}.npy") == wanted).all(), name


def test_frames_in_batches_give_what_the_toy_computes(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    frames = np.random.default_rng(1).integers(0, 256, (12, FRAME_BYTES), np.uint8)
    check(design, frames, golden(frames), batches=(1, 5, 1, 2, 3), work=tmp_path / "run")


def test_beats_are_padded_to_a_power_of_two(tmp_path: Path) -> None:
    graph = branching()
    design = compile_graph(graph, tmp_path / "design", source={}, fps=20_000)
    stream = stream_of(design)
    assert (stream.beat_bytes, stream.bus_bytes) == (3, 4)
    codes = random_samples(graph, 4)
    frames = np.frombuffer(frame_bytes(graph, codes), np.uint8).reshape(4, -1)
    wanted = ModeRun(design, (graph,), ()).golden(codes)
    check(design, frames, wanted, batches=(3, 1), work=tmp_path / "run")


def test_a_network_of_the_demos_shape_gives_its_golden_integers(tmp_path: Path) -> None:
    design = compile_model(demo_model(tmp_path / "model.onnx"), tmp_path / "design", fps=10_000)
    graph = design.graph()
    codes = random_samples(graph, 4)
    frames = np.frombuffer(frame_bytes(graph, codes), np.uint8).reshape(4, -1)
    wanted = ModeRun(design, (graph,), ()).golden(codes)
    check(design, frames, wanted, batches=(1, 3), work=tmp_path / "run")


def test_a_register_picks_the_precision_mode_of_a_batch(tmp_path: Path) -> None:
    graph = mlp()
    modes = modes_of(graph, [{}, {"fc2": 1, "q1": 1}, {"fc3": 2, "in": 1}])
    design = compile_graph(graph, tmp_path / "design", source={}, modes=modes, fps=50_000)
    codes = random_samples(design.graph(), 7)
    sequence = (0, 2, 2, 1, 0, 1, 1)
    wanted = ModeRun(design, design.mode_graphs(), sequence).golden(codes)
    frames = np.frombuffer(frame_bytes(graph, codes), np.uint8).reshape(7, -1)
    check(design, frames, wanted, batches=(1, 2, 1, 1, 2), work=tmp_path / "run", modes=sequence)


def test_a_beat_that_no_dma_carries_is_refused(tmp_path: Path) -> None:
    design = toy_design(tmp_path / "design")
    wide = {"bytes_per_beat": 129, "bytes_per_frame": 129}
    object.__setattr__(design, "input", wide)
    with pytest.raises(ConfigError, match="129 bytes, AXI DMA carries 128"):
        stream_of(design)


@pytest.mark.synth
def test_what_is_packaged_can_be_synthesised(tmp_path: Path) -> None:
    """By Yosys, for want of Vivado: the same files, images read by the same flat names."""
    design = toy_design(tmp_path / "design")
    found = synth_source(packaged_source(design, "xc7"), "xc7", tmp_path / "cache", tree=False)
    assert found.top == "bf_axi_top"
    # bf_axi_frames and bf_axi_regs take about 230, the toy 19.
    assert 200 < found.totals.ffs < 300
