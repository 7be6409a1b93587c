"""What a layer does in a mode: thresholds of fewer bits, and what is no truncation."""

from dataclasses import replace

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.mode_layers import stored_thresholds
from bitfold.compiler.modes import Mode, serve_modes
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, Op
from bitfold.ir.ops import DepthToSpace, Threshold, Weights, ZeroPad
from integer_graphs import ChainBuilder, digits_like, mlp
from mode_graphs import lowered, modes_of


def changed(graph: Graph, name: str, **fields: object) -> Graph:
    """One operation with other fields; types are left alone."""
    nodes = tuple(
        replace(n, op=replace(n.op, **fields)) if n.name == name else n for n in graph.nodes
    )
    return replace(graph, nodes=nodes)


@pytest.mark.parametrize("lost", range(4))
@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("signed", [False, True])
def test_stored_thresholds_give_codes_with_zeros_below(lost: int, shift: int, signed: bool) -> None:
    rng = np.random.default_rng(lost)
    bits = 2
    steps = np.sort(rng.integers(-9, 9, (6, 3)), axis=1)
    flip = np.arange(6) % 2 == 0
    op = Threshold("x", steps, bits, signed, flip=flip)
    table = stored_thresholds(op, lost, shift)
    wide = Threshold("x", table, bits + lost, signed, flip=flip)
    sums = np.tile(np.arange(-12, 13), (6, 1)).T
    assert np.array_equal(wide.run(sums << shift), op.run(sums) << lost)


REFUSED = {
    "weights": (
        lambda g: changed(
            g, "conv2", weights=Weights(g.node("conv2").op.weights.values * -1 // 2, 3)
        ),
        r"mode 1: layer 'conv2' is no truncation of stored: its weights are not the stored ones",
    ),
    "more planes": (
        lambda g: changed(g, "fc", weights=Weights(g.node("fc").op.weights.values, 5)),
        r"layer 'fc' is no truncation of stored: it asks for 5 weight planes, 3 are built",
    ),
    "another pool": (
        lambda g: digits_with(pool=(3, 3)),
        r"is no truncation of stored: another operation stands in its place",
    ),
    "another depth": (lambda g: mlp(), r"the input is no truncation of stored: it is int3\[32\]"),
    "more bits of codes": (
        lambda g: digits_like(a_bits=4),
        r"layer 'conv1' is no truncation of stored: it asks for 4 bits of its codes, 3 are built",
    ),
}


def digits_with(pool: tuple[int, int]) -> Graph:
    """`digits_like` with another pool."""
    b = ChainBuilder(np.random.default_rng(0))
    b.input((1, 6, 6), 4)
    b.conv("conv1", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q1", 3)
    b.conv("conv2", 8, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q2", 3)
    b.pool("pool", pool, pool)
    b.flatten()
    b.dense("fc", 10, 3)
    b.bias("fc_bias")
    return b.graph()


def short() -> Graph:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((1, 6, 6), 4)
    b.conv("conv1", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("q1", 3)
    return b.graph()


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_truncation_is_refused_in_one_message(name: str, tmp_path) -> None:
    change, rule = REFUSED[name]
    graph = digits_like()
    modes = [Mode(name="0", graph=graph), Mode(name="1", graph=change(graph))]
    with pytest.raises(UnsupportedOp, match=rule):
        compile_graph(graph, tmp_path / "design", source={"file": "stored"}, modes=modes)
    assert not (tmp_path / "design").exists()


@pytest.mark.parametrize(
    ("stored", "other"),
    [
        (DepthToSpace("q1", 2, "DCR"), DepthToSpace("q1", 2, "CRD")),
        (ZeroPad("q1", pads=(1, 0, 0, 1)), ZeroPad("q1", pads=(0, 1, 1, 0))),
    ],
    ids=lambda op: type(op).__name__,
)
def test_values_that_move_elsewhere_are_refused(stored: Op, other: Op) -> None:
    """Also where the shapes are the same."""
    graph, mode = moving(stored), moving(other)
    with pytest.raises(UnsupportedOp, match="another operation stands in its place"):
        serve_modes(graph, "stored", [Mode(name="1", graph=mode)])
    serve_modes(graph, "stored", [Mode(name="1", graph=graph)])


def moving(op: Op) -> Graph:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((1, 6, 6), 4)
    b.conv("conv1", 8, (3, 3), 3)
    b.thresholds("q1", 3)
    b.add("moved", op)
    b.flatten()
    b.dense("fc", 5, 3)
    b.bias("fc_bias")
    return b.graph()


def test_another_dilation_is_refused() -> None:
    graphs = []
    for dilation in ((1, 1), (2, 2)):
        b = ChainBuilder(np.random.default_rng(0))
        b.input((1, 8, 8), 4)
        b.conv("conv1", 2, (3, 3), 3, stride=(3, 3), dilation=dilation)
        b.thresholds("q1", 2)
        b.flatten()
        b.dense("fc", 3, 3)
        b.bias("fc_bias")
        graphs.append(b.graph())
    assert graphs[0].node("conv1").type.shape == graphs[1].node("conv1").type.shape
    with pytest.raises(UnsupportedOp, match="another operation stands in its place"):
        serve_modes(graphs[0], "stored", [Mode(name="1", graph=graphs[1])])


def test_a_network_of_another_length_is_refused() -> None:
    graph = digits_like()
    with pytest.raises(UnsupportedOp, match=r"the network is no truncation of stored: it has 1 l"):
        serve_modes(graph, "stored", [Mode(name="1", graph=short())])


def test_sums_of_input_integers_with_fewer_bits_are_refused() -> None:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 4, 4), 4)
    b.conv("depthwise", 4, (2, 2), 3, groups=4)
    b.thresholds("q", 2)
    b.flatten()
    b.dense("fc", 3, 3)
    graph = b.graph()
    with pytest.raises(UnsupportedOp, match=r"layer 'depthwise' .* a sum reads all planes"):
        serve_modes(graph, "stored", modes_of(graph, [{"in": 1}]))


def test_an_input_quantiser_that_is_no_truncation_is_refused() -> None:
    graph = digits_like()
    mode = lowered(graph, {"in": 1}, seed=0)
    moved = replace(mode, input_map=replace(mode.input_map, bias=mode.input_map.bias + 1.0))
    with pytest.raises(UnsupportedOp, match="its input quantiser is not that of stored less 1 pla"):
        serve_modes(graph, "stored", [Mode(name="1", graph=moved)])
