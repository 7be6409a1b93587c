"""Accelerators whose precision changes from frame to frame: every integer and every cycle."""

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.modes import Mode
from bitfold.compiler.truncate import truncated
from bitfold.errors import ConfigError
from bitfold.files import read_json
from bitfold.ir import run
from bitfold.ir.ops import Concat, Sum, SumPool
from bitfold.sim.modes import held_run
from bitfold.sim.samples import random_samples
from bitfold.sim.verify import verify_design
from integer_graphs import ChainBuilder, digits_like, mlp
from mode_graphs import Planes, modes_of

pytestmark = pytest.mark.rtl

DIGITS: list[Planes] = [
    {},
    {"conv1": 1, "q1": 1, "conv2": 2, "q2": 1, "fc": 1},
    {"conv1": 2, "q1": 2, "conv2": 1},
]


def checked(graph, skips, folder, cache, *, flips=False, frames=24, more=(), **wish):
    modes = [*modes_of(graph, skips, flips=flips), *more]
    design = compile_graph(graph, folder, source={}, modes=modes, **wish)
    found = verify_design(folder, frames=frames, protocol_frames=6, cache=cache)
    assert found.mismatches == 0
    assert all(t.frames_equal for t in found.timing)
    assert [m.interval_measured for m in found.modes] == [m.interval_predicted for m in found.modes]
    assert all(m.frames >= 4 for m in found.modes)
    steady = [mode["interval_cycles"] for mode in design.predicted["modes"]]
    assert [m.interval_predicted for m in found.modes] == steady
    return found


def test_paces_of_frames_that_are_not_steady_yet_are_those_of_the_model(tmp_path, verilator_cache):
    """Two or three in a row: what the mode before left inside still counts."""
    graph = digits_like()
    modes = modes_of(graph, DIGITS, flips=True)
    compile_graph(graph, tmp_path / "design", source={}, modes=modes, fps=20_000)
    found = verify_design(tmp_path / "design", frames=11, protocol_frames=2, cache=verilator_cache)
    assert found.exact
    assert [m.interval_measured for m in found.modes] == [m.interval_predicted for m in found.modes]


def test_frames_in_several_modes_follow_each_other(tmp_path, verilator_cache):
    folder = tmp_path / "design"
    graph = digits_like()
    # A fourth, of planes that are left out after the fact.
    cut = Mode(name="cut", graph=truncated(graph, {"conv2": (1, 2), "fc": (2, 3)}))
    wish = {"fps": 10_000, "flips": True, "frames": 32, "more": (cut,)}
    found = checked(graph, DIGITS, folder, verilator_cache, **wish)
    # No draining: the mode of the next frame was written while others were inside.
    assert found.most_inside >= 1
    assert found.modes[1].interval_measured < found.modes[0].interval_measured
    assert read_json(folder / "verify.json", "verify", 1)["exact"] is True


def test_frames_of_a_single_vector_keep_their_modes(tmp_path, verilator_cache):
    """Many frames are inside at once, in all modes; input and first layer lose planes as well."""
    graph = mlp()
    skips: list[Planes] = [
        {},
        {"in": 1, "fc1": 1, "q1": 1, "fc2": 1, "fc3": 2},
        {"in": 2, "q2": 3},
        {"q2": 2, "fc3": 1},
    ]
    found = checked(graph, skips, tmp_path / "design", verilator_cache, frames=96, fps=400_000)
    assert found.most_inside > 1


def branches():
    """Accumulators with two readers, a depthwise layer, a sum, a mean, a concatenation."""
    b = ChainBuilder(np.random.default_rng(5))
    b.input((3, 6, 5), 4, signed=True)
    b.conv("stem", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("left", 3, signed=True, flips=True)
    b.at("stem")
    b.thresholds("q", 4)
    b.conv("depthwise", 4, (3, 3), 4, pads=(1, 1, 1, 1), groups=4)
    b.thresholds("right", 3, signed=True)
    b.add("sum", Sum(("left", "right"), (1, 1)))
    b.thresholds("q_sum", 4)
    b.pool("pool", (2, 2), (1, 1), (1, 1, 0, 0))
    b.add("cat", Concat(("q_sum", "q")))
    b.add("mean", SumPool("cat", (2, 2), (2, 2), (0, 0, 0, 0)))
    b.thresholds("q_mean", 4)
    b.conv("point", 4, (1, 1), 3)
    b.thresholds("codes", 2, signed=True)
    return b.graph()


def test_branches_depthwise_and_codes_at_the_end(tmp_path, verilator_cache):
    skips: list[Planes] = [
        {"q": 1, "q_sum": 1, "depthwise": 2, "left": 1, "right": 1, "point": 1},
        {},
        {"q_mean": 2, "stem": 1, "depthwise": 1},
    ]
    checked(branches(), skips, tmp_path / "design", verilator_cache, fps=40_000, flips=True)


def test_a_run_in_one_mode_takes_its_graph(tmp_path):
    """As a board is asked; the modes are not those of `verify`, which are drawn."""
    graph = mlp()
    folder = tmp_path / "design"
    modes = modes_of(graph, [{}, {"in": 1, "fc3": 2}])
    design = compile_graph(graph, folder, source={}, modes=modes, fps=50_000)
    codes = random_samples(design.graph(), 5)
    for mode, each in enumerate(modes):
        about = design.modes[mode]
        wanted = run(each.graph, codes >> about["input_shift"]) << about["output_shift"]
        held = held_run(design, 5, mode)
        assert np.array_equal(held.golden(codes), wanted)
        reals = each.graph.output_map.to_real(wanted >> about["output_shift"])
        assert np.array_equal(held.reals(wanted), reals)
    assert held_run(design, 5, None).sequence == (0,) * 5
    with pytest.raises(ConfigError, match="mode 2 is asked for; the design has modes 0 to 1"):
        held_run(design, 5, 2)
    plain = compile_graph(graph, tmp_path / "plain", source={}, fps=50_000)
    assert held_run(plain, 5, None).sequence == ()
    with pytest.raises(ConfigError, match="mode 0 is asked for; the design has no precision modes"):
        held_run(plain, 5, 0)
