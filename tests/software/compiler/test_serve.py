"""One accelerator for several modes: thresholds of fewer bits, and what is no truncation."""

from dataclasses import replace

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import read_design, stage_from_json, stage_to_json
from bitfold.compiler.folding import Prices, _products
from bitfold.compiler.layers import LinearLayer
from bitfold.compiler.lower import lower
from bitfold.compiler.modes import Mode, serve_modes
from bitfold.compiler.plan import mode_shares, plan
from bitfold.compiler.serve import stored_thresholds
from bitfold.cost import interval, read_target
from bitfold.cost.stages import at_mode
from bitfold.cost.units import Mvtu
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, Op
from bitfold.ir.ops import Conv, Dense, DepthToSpace, Threshold, Weights, ZeroPad
from integer_graphs import ChainBuilder, digits_like, mlp
from mode_graphs import lowered, modes_of

SKIPS = [{}, {"conv1": 1, "q1": 1, "conv2": 2, "q2": 1, "fc": 1}]


def served(graph: Graph, modes: list[Mode]):
    return serve_modes(graph, "stored", modes)


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


def test_layers_keep_planes_of_each_mode_and_the_cycles_fall_with_them() -> None:
    graph = digits_like()
    layers, found = served(graph, modes_of(graph, SKIPS))
    linear = [layer for layer in layers if isinstance(layer, LinearLayer)]
    assert [layer.modes.kept for layer in linear if layer.modes] == [
        ((3, 4), (2, 4)),
        ((3, 3), (1, 2)),
        ((3, 3), (2, 2)),
    ]
    assert found.input_shifts == found.output_shifts == (0, 0)
    macs = [36 * 9 * 4, 36 * 36 * 8, 72 * 10]
    products = [
        sum(m * p for m, p in zip(macs, row, strict=True)) for row in ((12, 9, 9), (8, 2, 4))
    ]
    assert mode_shares(layers) == (1.0, products[1] / products[0])
    wish = {"fps": 2000.0, "luts": None, "brams": None, "target": "xc7", "clock_mhz": 50.0}
    stages = plan(graph, layers, **wish)
    units = [s for s in stages if isinstance(s, Mvtu)]
    for unit in units:
        fold = unit.folding
        for mode, (w, a) in enumerate(unit.kept):
            assert w % fold.wp == a % fold.ap == 0
            product = unit.nf * unit.sf * (w // fold.wp) * (a // fold.ap)
            held = at_mode(unit, mode)
            assert isinstance(held, Mvtu)
            assert held.vector_cycles == max(product, unit.nf * unit.threshold_cycles)
    slow, fast = (interval(tuple(at_mode(s, m) for s in stages)) for m in range(2))
    assert fast / slow < 0.5
    # Rates of the slowest mode alone would have left no mode faster.
    assert slow <= 25_000


def test_groups_of_planes_divide_what_every_mode_skips() -> None:
    graph = digits_like(w_bits=4, a_bits=4)
    layers, _ = served(graph, modes_of(graph, [{}, {"conv2": 2, "q1": 1}]))
    layer = next(x for x in layers if isinstance(x, LinearLayer) and x.modes and x.w_bits == 4
                 and x.modes.kept == ((4, 4), (2, 3)))  # fmt: skip
    folds = [how.folding for how in _products(layer, 4, 10**9) if how.folding]
    assert {f.wp for f in folds} == {1, 2}
    assert {f.ap for f in folds} == {1}


def test_stages_with_modes_survive_json() -> None:
    graph = digits_like()
    layers, _ = served(graph, modes_of(graph, SKIPS, flips=True))
    wish = {"fps": 2000.0, "luts": None, "brams": None, "target": "xc7", "clock_mhz": 50.0}
    stages = plan(graph, layers, **wish)
    assert any(isinstance(s, Mvtu) and s.modes and s.modes.flips for s in stages)
    assert tuple(stage_from_json(stage_to_json(s)) for s in stages) == stages


def test_a_design_without_modes_says_nothing_of_them(tmp_path) -> None:
    design = compile_graph(digits_like(), tmp_path / "design", source={}, fps=5000)
    assert read_design(design.folder).modes == ()
    assert not (design.folder / "driver").exists()
    top = (design.folder / "rtl" / "bf_accelerator.sv").read_text()
    assert "s_axil" not in top
    assert "Modes" not in top
    assert not (design.folder / "rtl" / "bf_regs.sv").exists()
    manifest = (design.folder / "manifest.json").read_text()
    assert '"modes"' not in manifest


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
        served(graph, [Mode(name="1", graph=mode)])
    served(graph, [Mode(name="1", graph=graph)])


def test_networks_without_products_have_no_shares_of_them() -> None:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 4, 4), 3)
    b.conv("depthwise", 4, (2, 2), 3, groups=4)
    layers = lower(b.graph())
    assert mode_shares(layers) == (1.0,)
    plan(b.graph(), layers, fps=1000, luts=None, target="ecp5", clock_mhz=50.0)


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
        served(graphs[0], [Mode(name="1", graph=graphs[1])])


def test_a_network_of_another_length_is_refused() -> None:
    graph = digits_like()
    with pytest.raises(UnsupportedOp, match=r"the network is no truncation of stored: it has 1 l"):
        served(graph, [Mode(name="1", graph=short())])


def test_sums_of_input_integers_with_fewer_bits_are_refused() -> None:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 4, 4), 4)
    b.conv("depthwise", 4, (2, 2), 3, groups=4)
    b.thresholds("q", 2)
    b.flatten()
    b.dense("fc", 3, 3)
    graph = b.graph()
    with pytest.raises(UnsupportedOp, match=r"layer 'depthwise' .* a sum reads all planes"):
        served(graph, modes_of(graph, [{"in": 1}]))


def test_an_input_quantiser_that_is_no_truncation_is_refused() -> None:
    graph = digits_like()
    mode = lowered(graph, {"in": 1}, seed=0)
    moved = replace(mode, input_map=replace(mode.input_map, bias=mode.input_map.bias + 1.0))
    with pytest.raises(UnsupportedOp, match="its input quantiser is not that of stored less 1 pla"):
        served(graph, [Mode(name="1", graph=moved)])


def test_random_modes_are_served(tmp_path) -> None:
    """Any planes less of anything: the layers' sums are those of the mode's own graph."""
    graph, rng = digits_like(w_bits=4, a_bits=4), np.random.default_rng(7)
    names = [n.name for n in graph.nodes if isinstance(n.op, Conv | Dense | Threshold)]
    skips = [{name: int(rng.integers(0, 3)) for name in names} for _ in range(6)]
    layers, _ = served(graph, modes_of(graph, [{}, *skips], flips=True))
    for layer in layers:
        if isinstance(layer, LinearLayer):
            assert layer.modes is not None
            assert all(1 <= w <= 4 and 1 <= a <= 4 for w, a in layer.modes.kept)
    assert len({layer.modes.kept for layer in layers if isinstance(layer, LinearLayer)}) > 1
    shares = mode_shares(layers)
    assert max(shares) == 1.0
    assert Prices(read_target("ecp5"), shares).shares == shares
