"""Planes of every layer, chosen by the host at run time: every integer and every cycle."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bitfold.cli import main
from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import Design
from bitfold.compiler.emit_modes import layer_planes
from bitfold.compiler.mode_file import Kept
from bitfold.compiler.modes import masked_modes
from bitfold.errors import ConfigError
from bitfold.ir import Graph
from bitfold.ir.ops import Concat, Conv, Sum, SumPool, Weights
from bitfold.sim.planes import plane_rows, with_planes
from bitfold.sim.verify import verify_design
from integer_graphs import ChainBuilder, digits_like
from qonnx_nets import Net

Asked = Mapping[str, tuple[int, int]]
DIGITS: list[Asked] = [
    {},
    {"conv1": (2, 3), "conv2": (1, 2), "fc": (2, 1)},
    {"conv1": (1, 2), "conv2": (2, 3), "fc": (3, 2)},
]


def compiled(graph: Graph, modes: Sequence[Asked], folder: Path, **wish: object) -> Design:
    kept = [{k: Kept(w_bits=w, a_bits=a) for k, (w, a) in mode.items()} for mode in modes]
    masked = masked_modes(folder, graph, kept)
    return compile_graph(graph, folder, source={}, modes=masked, **wish)


def written(folder: Path, *modes: Asked) -> Path:
    """A file for the host."""
    layers = [
        {"layers": {k: {"w_bits": w, "a_bits": a} for k, (w, a) in mode.items()}} for mode in modes
    ]
    path = folder / "planes.json"
    path.write_text(json.dumps({"kind": "modes", "schema": 1, "modes": layers}))
    return path


def proven(folder: Path, cache: Path, planes: Path | None = None):
    found = verify_design(folder, frames=24, protocol_frames=6, cache=cache, planes=planes)
    assert found.mismatches == 0
    assert all(t.frames_equal for t in found.timing)
    assert [m.interval_measured for m in found.modes] == [m.interval_predicted for m in found.modes]
    return found


@pytest.mark.rtl
def test_layers_take_the_planes_that_the_host_writes(tmp_path, verilator_cache):
    """Mixtures of what the modes hold; in the run with stalls they change before every frame, while
    others are inside."""
    folder = tmp_path / "design"
    compiled(digits_like(), DIGITS, folder, fps=20_000)
    found = proven(folder, verilator_cache)
    assert found.most_inside >= 1
    mixed = written(
        tmp_path,
        {"conv1": (1, 2), "fc": (2, 1)},
        {"conv1": (2, 3), "conv2": (1, 2)},
        {"conv1": (2, 3), "conv2": (1, 2), "fc": (3, 2)},
    )
    # Slow and fast have changed places: the first mode is none of those compiled.
    paces = [m.interval_measured for m in proven(folder, verilator_cache, mixed).modes]
    assert paces[1:] != [m.interval_measured for m in found.modes][1:]


def branches() -> Graph:
    """Accumulators with two readers; a depthwise layer, and codes that others read in full."""
    b = ChainBuilder(np.random.default_rng(5))
    b.input((3, 6, 5), 4, signed=True)
    b.conv("stem", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("left", 3, signed=True, flips=True)
    b.at("stem")
    b.thresholds("q", 4)
    b.conv("depthwise", 4, (3, 3), 4, pads=(1, 1, 1, 1), groups=4)
    b.thresholds("right", 3, signed=True)
    b.conv("point", 4, (1, 1), 3)
    b.thresholds("codes", 3, signed=True)
    b.at("left")
    b.conv("short", 4, (1, 1), 2)
    b.thresholds("other", 3, signed=True)
    b.add("sum", Sum(("codes", "other"), (1, 1)))
    b.thresholds("end", 3)
    return b.graph()


@pytest.mark.rtl
def test_depthwise_layers_and_sums_with_several_readers(tmp_path, verilator_cache):
    folder = tmp_path / "design"
    low = {"stem": (3, 2), "depthwise": (2, 2), "point": (1, 2), "short": (1, 3)}
    compiled(branches(), [{}, low], folder, fps=40_000)
    proven(folder, verilator_cache)
    mixed = written(tmp_path, {"stem": (3, 2), "point": (1, 2)}, {**low, "point": (3, 3)})
    proven(folder, verilator_cache, mixed)
    mixed = written(tmp_path, {"depthwise": (2, 2), "short": (1, 3)}, {"depthwise": (2, 2)})
    proven(folder, verilator_cache, mixed)


REFUSED = {
    "planes in no mode": (
        [{}, {"conv1": (2, 2)}, {}],
        r"mode 1: layer 'conv1' asks for 2 weight and 2 activation planes; the design holds "
        r"thresholds for 3 and 4, 2 and 3, 1 and 2",
    ),
    "two modes": ([{}, {}], "must name the planes of layers in 3 modes, as many as .* lists 2 mo"),
    "no layer": ([{}, {"conv9": (2, 2)}, {}], "mode 1: no layer 'conv9'; there are: conv1, conv2"),
    "planes that there are not": (
        [{}, {"conv1": (9, 2)}, {}],
        "asks for 9 weight and 2 activation planes; there are 1 to 3 and 1 to 4",
    ),
}


def averaged() -> Graph:
    """A mean whose accumulators a dense layer reads."""
    b = ChainBuilder(np.random.default_rng(3))
    b.input((3, 6, 6), 4)
    b.conv("conv", 8, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q", 3)
    b.add("mean", SumPool("q", (6, 6), (6, 6), (0, 0, 0, 0)))
    b.flatten()
    b.dense("fc", 5, 4)
    b.bias("bias")
    return b.graph()


def narrow() -> Graph:
    """Depthwise weights that need fewer bits than their type has."""
    b = ChainBuilder(np.random.default_rng(4))
    b.input((4, 6, 6), 4)
    b.conv("conv", 8, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q", 3)
    weights = Weights(b.rng.integers(-4, 4, (8, 1, 3, 3)), 5)
    b.add("depthwise", Conv("q", weights, (1, 1), (1, 1, 1, 1), 8, (1, 1)))
    b.thresholds("q2", 3)
    b.flatten()
    b.dense("fc", 5, 3)
    return b.graph()


def joined() -> Graph:
    """A concatenation that widens one of its values; a pool between."""
    b = ChainBuilder(np.random.default_rng(5))
    b.input((4, 6, 6), 4, signed=True)
    b.conv("conv1", 8, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q1", 3)
    b.conv("conv2", 8, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q2", 5, signed=True, flips=True)
    b.add("cat", Concat(("q1", "q2")))
    b.pool("pool", (2, 2), (1, 1), (1, 1, 0, 0))
    b.conv("conv3", 4, (3, 3), 3)
    b.thresholds("q3", 4)
    b.flatten()
    b.dense("fc", 5, 3)
    return b.graph()


def pooled() -> Graph:
    """Maxima of accumulators, quantised behind them by two."""
    b = ChainBuilder(np.random.default_rng(6))
    b.input((3, 6, 6), 4, signed=True)
    b.conv("conv", 6, (3, 3), 3, pads=(1, 1, 1, 1))
    b.pool("pool", (2, 2), (2, 2))
    b.thresholds("left", 3, signed=True)
    b.at("pool")
    b.thresholds("right", 3, signed=True, flips=True)
    b.add("sum", Sum(("left", "right"), (1, 1)))
    b.thresholds("end", 3)
    b.flatten()
    b.dense("fc", 5, 3)
    return b.graph()


NETWORKS: dict[str, tuple[Callable[[], Graph], tuple[Asked, ...], tuple[Asked, ...]]] = {
    "pooled": (
        pooled,
        ({}, {"conv": (2, 3), "fc": (2, 2)}, {"conv": (1, 2)}),
        ({"conv": (2, 3)}, {"fc": (2, 2)}, {"conv": (1, 2), "fc": (2, 2)}),
    ),
    "mean": (averaged, ({}, {"conv": (2, 3), "fc": (2, 8)}), ({"fc": (2, 8)}, {"conv": (2, 3)})),
    "narrow": (
        narrow,
        ({}, {"depthwise": (1, 3)}, {"depthwise": (2, 3)}, {"depthwise": (3, 2), "fc": (1, 1)}),
        ({"depthwise": (3, 2)}, {"fc": (1, 1)}, {"depthwise": (1, 3), "fc": (1, 1)}, {}),
    ),
    "joined": (
        joined,
        ({}, {"conv3": (2, 3), "conv2": (3, 1)}, {"conv3": (1, 5)}),
        ({"conv3": (1, 5)}, {}, {"conv3": (2, 3), "conv2": (3, 1)}),
    ),
}


@pytest.mark.rtl
@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_layer_depends_on_its_own_planes_alone(name: str, tmp_path: Path, verilator_cache: Path):
    graph, modes, mixed = NETWORKS[name]
    folder = tmp_path / "design"
    design = compiled(graph(), modes, folder, fps=20_000)
    named = {layer for mode in modes for layer in mode}
    assert named <= {layer.name for layer in layer_planes(design.stages)}
    proven(folder, verilator_cache)
    proven(folder, verilator_cache, written(tmp_path, *mixed))


def test_layers_that_read_one_value_take_as_many_planes_of_it(tmp_path: Path) -> None:
    b = ChainBuilder(np.random.default_rng(5))
    b.input((4, 6, 6), 4)
    b.conv("left", 4, (3, 3), 3)
    b.thresholds("q1", 3)
    b.at("in")
    b.conv("right", 4, (3, 3), 3)
    b.thresholds("q2", 3)
    b.add("sum", Sum(("q1", "q2"), (1, 1)))
    b.thresholds("end", 3)
    low = {"left": (2, 2), "right": (3, 2)}
    design = compiled(b.graph(), [{}, low], tmp_path / "design", fps=5000)
    with_planes(design, written(tmp_path, low, {}))
    with pytest.raises(ConfigError, match="mode 0: a value has one number of planes, but of 'in'"):
        with_planes(design, written(tmp_path, {"left": (2, 2)}, {}))


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_the_design_does_not_hold_is_refused(name: str, tmp_path: Path) -> None:
    modes, rule = REFUSED[name]
    design = compiled(digits_like(), DIGITS, tmp_path / "design", fps=5000)
    with pytest.raises(ConfigError, match=rule):
        with_planes(design, written(tmp_path, *modes))


def test_a_design_without_such_modes_has_nothing_to_write(tmp_path: Path) -> None:
    design = compile_graph(digits_like(), tmp_path / "design", source={}, fps=5000)
    assert plane_rows(design) == ()
    with pytest.raises(ConfigError, match="has no planes that can be chosen at run time; compile"):
        with_planes(design, written(tmp_path, {}, {}))


@pytest.mark.rtl
def test_planes_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verilator_cache: Path
) -> None:
    """A QONNX file, modes by hand, and what the host writes; a wrong file is one message."""
    rng = np.random.default_rng(1)
    net = Net(8).quant(4, 0.25)
    net.gemm(rng.normal(0, 0.4, (6, 8)), 4, 0.125).node("Relu").quant(3, 0.5)
    net.gemm(rng.normal(0, 0.4, (3, 6)), 3, 0.125)
    net.save(tmp_path)
    first, last = "Gemm_10", "Gemm_21"
    low = {first: (2, 3), last: (1, 2)}
    written(tmp_path, {}, low).rename(tmp_path / "modes.json")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "verilator").symlink_to(verilator_cache)
    design = str(tmp_path / "design")
    assert main.run(["compile", str(tmp_path / "modes.json"), "-o", design, "--fps", "1e6"]) == 0
    frames = ["--frames", "12", "--protocol-frames", "4"]
    planes = written(tmp_path, {first: (2, 3)}, {last: (1, 2)})
    assert main.run(["verify", design, *frames, "--planes", str(planes)]) == 0
    assert "0 differ" in capsys.readouterr().out
    planes = written(tmp_path, {}, {first: (1, 3)})
    assert main.run(["verify", design, *frames, "--planes", str(planes)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bitfold: {planes}: mode 1: layer 'Gemm_10' asks for 1 weight and 3 ")
    assert said.count("\n") == 1
