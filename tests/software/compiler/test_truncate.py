"""Fewer planes of a network that was not trained for it: exactly the truncated network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_model
from bitfold.compiler.modes import Mode, serve_modes
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.compiler.truncate import Planes, truncated
from bitfold.cost.units import Mvtu
from bitfold.errors import ArtefactError, ConfigError, UnsupportedOp
from bitfold.files import write_json
from bitfold.ir import Graph, run
from bitfold.ir.graph import per_channel
from bitfold.ir.ops import (
    Concat,
    Conv,
    Dense,
    DepthToSpace,
    Input,
    Sum,
    Upsample,
    Weights,
    ZeroPad,
)
from integer_graphs import ChainBuilder, digits_like, mlp
from qonnx_nets import Net


def masked_reals(graph: Graph, x: np.ndarray, planes: Planes) -> np.ndarray:
    """Outputs of the stored graph with the planes below masked in place: what `truncated` stands
    for, computed without it. x (N, *input) integers -> reals (N, *output)."""
    values: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        op = node.op
        if isinstance(op, Input):
            values[node.name] = x
            continue
        read = [values[name] for name in op.inputs]
        if isinstance(op, Conv | Dense) and node.name in planes:
            w, a = planes[node.name]
            lost = op.weights.bits - w, graph.node(op.x).type.bits - a
            kept = op.weights.values >> lost[0] << lost[0]
            op = replace(op, weights=Weights(kept, op.weights.bits, op.weights.bipolar))
            read = [read[0] >> lost[1] << lost[1]]
        values[node.name] = op.run(*read)
    found = values[graph.output]
    scale, bias = graph.output_map.scale, graph.output_map.bias
    return found * per_channel(scale, found.ndim) + per_channel(bias, found.ndim)


CASES: dict[str, tuple[Graph, list[Planes]]] = {
    "digits-like": (
        digits_like(w_bits=4, a_bits=4),
        [
            {"conv2": (2, 4)},
            {"conv1": (1, 4), "conv2": (4, 1)},
            {"conv1": (3, 2), "conv2": (2, 2), "fc": (1, 3)},
        ],
    ),
    "signed-input": (
        mlp(),
        [{"fc1": (2, 2)}, {"fc1": (3, 1), "fc2": (1, 1)}, {"fc3": (2, 4)}, {"fc3": (4, 3)}],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_outputs_are_those_of_the_network_with_masked_planes(name: str) -> None:
    graph, cases = CASES[name]
    graph = run_pipeline(graph, flips=True)
    kind, rng = graph.input_type, np.random.default_rng(0)
    x = rng.integers(kind.min, kind.max + 1, (40, *kind.shape))
    for planes in cases:
        mode = truncated(graph, planes)
        layers, served = serve_modes(graph, "stored", [Mode(name="0", graph=mode)])
        got = run(mode, x >> served.input_shifts[0])
        reals = mode.output_map.to_real(got)
        assert np.array_equal(reals, masked_reals(graph, x, planes)), planes
        kept = {x.name: x.modes.kept[0] for x in layers if x.name in planes}
        assert kept == planes
        assert mode.input_type.bits == kind.bits - served.input_shifts[0]


def test_flips_and_shared_sums_are_truncated_too() -> None:
    b = ChainBuilder(np.random.default_rng(3))
    b.input((2, 5, 5), 3)
    b.conv("stem", 4, (3, 3), 4)
    b.thresholds("left", 3, flips=True)
    b.conv("point", 4, (1, 1), 3)
    b.thresholds("right", 3, flips=True)
    b.at("stem")
    b.thresholds("short", 3)
    b.add("sum", Sum(("right", "short"), (1, 1)))
    b.thresholds("q", 4)
    b.flatten()
    b.dense("fc", 3, 3)
    graph = run_pipeline(b.graph(), flips=True)
    x = np.random.default_rng(1).integers(0, 8, (30, 2, 5, 5))
    for planes in ({"stem": (2, 3)}, {"point": (3, 1), "fc": (2, 2)}, {"stem": (4, 2)}):
        mode = truncated(graph, planes)
        _, served = serve_modes(graph, "stored", [Mode(name="0", graph=mode)])
        reals = mode.output_map.to_real(run(mode, x >> served.input_shifts[0]))
        assert np.array_equal(reals, masked_reals(graph, x, planes)), planes


def test_what_is_not_built_is_refused() -> None:
    graph = digits_like()
    with pytest.raises(ConfigError, match="no layer 'conv9'; there are: conv1, conv2, fc"):
        truncated(graph, {"conv9": (1, 1)})
    with pytest.raises(ConfigError, match=r"'conv2' asks for 4 weight and 3 activation planes"):
        truncated(graph, {"conv2": (4, 3)})
    with pytest.raises(ConfigError, match=r"'conv2' asks for 3 weight and 0 activation planes"):
        truncated(graph, {"conv2": (3, 0)})


def test_smaller_sums_that_meet_others_are_refused() -> None:
    b = ChainBuilder(np.random.default_rng(3))
    b.input((2, 5, 5), 3)
    b.conv("a", 4, (1, 1), 3)
    b.at("in")
    b.conv("b", 4, (1, 1), 3)
    b.add("sum", Sum(("a", "b"), (1, 1)))
    b.thresholds("q", 4)
    graph = b.graph()
    with pytest.raises(UnsupportedOp, match=r"node 'sum' \(Sum\) reads the sums of 'a'"):
        truncated(graph, {"a": (2, 3), "b": (2, 3)})
    with pytest.raises(ConfigError, match=r"of 'in' reads 'a' 2 planes of it, 'b' 3 planes"):
        truncated(graph, {"a": (3, 2)})


@pytest.fixture
def model(tmp_path) -> Path:
    """Two dense layers as QONNX."""
    rng = np.random.default_rng(0)
    net = Net(8).quant(4, 0.25)
    net.gemm(rng.normal(0, 0.4, (6, 8)), 4, 0.125).node("Relu").quant(3, 0.5)
    net.gemm(rng.normal(0, 0.4, (3, 6)), 3, 0.125)
    path: Path = net.save(tmp_path)
    return path.rename(tmp_path / "model.onnx")


def test_a_file_written_by_hand_names_layers(model: Path) -> None:
    names = [
        n.name for n in run_pipeline(read_qonnx(model), flips=True).nodes if isinstance(n.op, Dense)
    ]
    listed = model.parent / "modes.json"
    layers = [{}, {names[0]: {"w_bits": 2}}, {names[1]: {"w_bits": 1, "a_bits": 2}}]
    value = {"kind": "modes", "schema": 1, "modes": [{"layers": each} for each in layers]}
    write_json(listed, value)
    design = compile_model(listed, model.parent / "design", fps=10_000)
    kept = [s.modes.kept for s in design.stages if isinstance(s, Mvtu) and s.modes]
    assert kept == [((4, 4), (2, 4), (4, 4)), ((3, 3), (3, 3), (1, 2))]
    with_more = {names[0]: {"w_bits": 5}}
    write_json(listed, {**value, "modes": [{"layers": {}}, {"layers": with_more}]})
    with pytest.raises(ConfigError, match="asks for 5 weight and 4 activation planes; there are"):
        compile_model(listed, model.parent / "design")
    write_json(listed, {**value, "modes": [{"layers": {}}, {"layers": [1]}]})
    with pytest.raises(ArtefactError, match="malformed"):
        compile_model(listed, model.parent / "design")


def moves(*, pool: bool) -> Graph:
    """Codes that are moved, padded, spread and joined before a layer reads them."""
    b = ChainBuilder(np.random.default_rng(4))
    b.input((2, 4, 4), 3, signed=True)
    b.pool("first", (2, 2), (1, 1), (1, 0, 0, 1))
    b.conv("stem", 8, (2, 2), 3)
    b.thresholds("q", 3, flips=True)
    b.add("space", DepthToSpace("q", 2, "DCR"))
    b.add("around", ZeroPad("space", pads=(1, 0, 0, 1)))
    b.add("up", Upsample("around", (1, 2)))
    b.add("cat", Concat(("up", "up")))
    if pool:
        b.pool("pool", (2, 2), (2, 2), (0, 0, 1, 1))
        b.flatten()
        b.dense("last", 3, 3)
        b.bias("bias")
    else:
        b.conv("last", 3, (2, 2), 3)
        b.bias("bias")
        b.flatten()
    return b.graph()


@pytest.mark.parametrize("pool", [True, False])
def test_planes_are_left_out_behind_all_that_only_moves_values(pool: bool) -> None:
    graph = run_pipeline(moves(pool=pool), flips=True)
    x = np.random.default_rng(1).integers(-4, 4, (20, 2, 4, 4))
    for planes in ({"last": (3, 1)}, {"stem": (2, 2), "last": (1, 2)}, {"last": (2, 3)}):
        mode = truncated(graph, planes)
        if pool:
            layers, served = serve_modes(graph, "stored", [Mode(name="0", graph=mode)])
            assert {x.name: x.modes.kept[0] for x in layers if x.name in planes} == planes
            x_mode = x >> served.input_shifts[0]
        else:
            x_mode = x >> graph.input_type.bits - mode.input_type.bits
        reals = mode.output_map.to_real(run(mode, x_mode))
        assert np.array_equal(reals, masked_reals(graph, x, planes)), planes


def test_a_mode_that_asks_for_all_planes_is_the_network() -> None:
    """Also where several layers read the input, of which one is not named."""
    b = ChainBuilder(np.random.default_rng(3))
    b.input((2, 5, 5), 3)
    b.conv("a", 4, (1, 1), 3)
    b.thresholds("q_a", 2)
    b.at("in")
    b.conv("b", 4, (1, 1), 3)
    b.thresholds("q_b", 2)
    b.add("sum", Sum(("q_a", "q_b"), (1, 1)))
    graph = b.graph()
    for planes in ({}, {"a": (3, 3)}, {"a": (2, 3)}):
        mode = truncated(graph, planes)
        assert [n.name for n in mode.nodes] == [n.name for n in graph.nodes]
        assert mode.input_type == graph.input_type


def test_a_value_has_one_number_of_planes() -> None:
    b = ChainBuilder(np.random.default_rng(3))
    b.input((2, 5, 5), 3)
    b.conv("stem", 2, (1, 1), 3)
    b.thresholds("q", 3)
    b.conv("a", 2, (1, 1), 3)
    b.thresholds("q_a", 3)
    b.add("sum", Sum(("q", "q_a"), (1, 1)))
    b.conv("last", 2, (1, 1), 3)
    graph = b.graph()
    rule = r"mode 7: a value has one number of planes, but of 'q' reads 'a' 2 planes of it, 'sum' 3"
    with pytest.raises(ConfigError, match=rule):
        truncated(graph, {"a": (3, 2)}, "mode 7")
    with pytest.raises(UnsupportedOp, match=r"node 'sum' \(Sum\) gives sums, which keep all 4 pla"):
        truncated(graph, {"last": (3, 3)})
    narrow = ChainBuilder(np.random.default_rng(3))
    narrow.input((2, 3, 3), 4)
    narrow.conv("stem", 2, (1, 1), 3)
    narrow.thresholds("few", 1)
    narrow.at("stem")
    narrow.thresholds("many", 4)
    narrow.add("cat", Concat(("few", "many")))
    narrow.conv("last", 2, (1, 1), 3)
    with pytest.raises(UnsupportedOp, match=r"'cat' \(Concat\) .* operand 'few' has 1; keep more"):
        truncated(narrow.graph(), {"last": (3, 2)})
