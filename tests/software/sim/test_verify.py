"""Whole accelerators under Verilator: every integer and every cycle."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.errors import MismatchError, ToolNotFound
from bitfold.files import read_json
from bitfold.sim.verify import verify_design
from bitfold.sim.verilator import FST_HEADERS
from integer_graphs import ChainBuilder, digits_like, mlp

pytestmark = pytest.mark.rtl


def odd_shapes():
    """Signed input of two channels, stride 2, uneven pads, pool with pads, planes in parallel."""
    b = ChainBuilder(np.random.default_rng(3))
    b.input((2, 7, 5), 3, signed=True)
    b.conv("conv1", 6, (3, 2), 2, stride=(2, 1), pads=(1, 0, 0, 1))
    b.thresholds("q1", 3, signed=True)
    b.pool("pool", (2, 2), (1, 2), pads=(0, 1, 1, 0))
    b.conv("conv2", 4, (1, 1), 5)
    b.thresholds("q2", 1)
    b.flatten()
    b.dense("fc", 6, 3)
    return b.graph()


@pytest.mark.parametrize(
    ("graph", "fps", "target"),
    [
        (digits_like(), 20_000, "xc7"),
        (mlp(bipolar=True), 100_000, "ecp5"),
        (odd_shapes(), 100_000, "ecp5"),
    ],
    ids=["digits-like", "bipolar", "odd-shapes"],
)
def test_integers_and_cycles_are_as_predicted(graph, fps, target, tmp_path, verilator_cache):
    folder = tmp_path / "design"
    compile_graph(graph, folder, source={}, fps=fps, target=target)
    found = verify_design(folder, frames=12, protocol_frames=4, cache=verilator_cache)
    assert found.mismatches == 0
    assert found.frames == 12
    assert found.outputs == graph.output_type.shape[0] * (12 + 2 * 4)
    assert all(t.frames_equal for t in found.timing)
    written = read_json(folder / "verify.json", "verify", 1)
    assert written["exact"] is True


def test_one_wrong_weight_is_found(tmp_path, verilator_cache):
    folder = tmp_path / "design"
    compile_graph(mlp(), folder, source={}, fps=50_000)
    image = folder / "mem" / "fc3_weights.mem"
    words = image.read_text().split()
    words[3] = f"{int(words[3], 16) ^ 1:0{len(words[3])}x}"
    image.write_text("\n".join(words) + "\n")
    with pytest.raises(MismatchError, match=r"\d+ of 240 outputs differ from the golden"):
        verify_design(folder, frames=40, protocol_frames=4, cache=verilator_cache)
    assert read_json(folder / "verify.json", "verify", 1)["exact"] is False


def test_a_vcd_holds_the_signals_of_the_run(tmp_path, verilator_cache):
    folder = tmp_path / "design"
    compile_graph(mlp(), folder, source={}, fps=100_000)
    verify_design(folder, frames=2, protocol_frames=1, waves="vcd", cache=verilator_cache)
    text = (folder / "sim" / "waves.vcd").read_text()
    assert "$enddefinitions $end" in text
    assert "s_axis_tvalid" in text
    assert text.count("\n#") > 100  # points in time


def test_an_fst_is_written_or_what_it_needs_is_named(tmp_path, verilator_cache, monkeypatch):
    folder = tmp_path / "design"
    compile_graph(mlp(), folder, source={}, fps=100_000)
    wanted = {"frames": 2, "protocol_frames": 1, "waves": "fst"}
    found = all((Path("/usr/include") / name).exists() for name in FST_HEADERS)
    if found:
        verify_design(folder, cache=verilator_cache, **wanted)
        assert (folder / "sim" / "waves.fst").stat().st_size > 1000
    monkeypatch.setattr("bitfold.sim.verilator.FST_HEADERS", ("no_such_header.h",))
    with pytest.raises(ToolNotFound, match=r"no_such_header\.h; install .* liblz4-dev zlib1g-dev"):
        verify_design(folder, cache=tmp_path / "another", **wanted)
