"""One accelerator for several modes: planes and cycles of each, and what a design keeps of it."""

import numpy as np

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import read_design, stage_from_json, stage_to_json
from bitfold.compiler.folding import Prices
from bitfold.compiler.layers import LinearLayer
from bitfold.compiler.lower import lower
from bitfold.compiler.menu import Menu
from bitfold.compiler.modes import Mode, serve_modes
from bitfold.compiler.plan import mode_shares, plan
from bitfold.cost import interval, read_target
from bitfold.cost.stages import at_mode
from bitfold.cost.units import Mvtu
from bitfold.ir import Graph
from bitfold.ir.ops import Conv, Dense, Threshold
from integer_graphs import ChainBuilder, digits_like
from mode_graphs import modes_of

SKIPS = [{}, {"conv1": 1, "q1": 1, "conv2": 2, "q2": 1, "fc": 1}]


def served(graph: Graph, modes: list[Mode]):
    return serve_modes(graph, "stored", modes)


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
    folds = [how.folding for how in Menu(layer, 4).foldings if how and how.folding]
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


def test_networks_without_products_have_no_shares_of_them() -> None:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 4, 4), 3)
    b.conv("depthwise", 4, (2, 2), 3, groups=4)
    layers = lower(b.graph())
    assert mode_shares(layers) == (1.0,)
    plan(b.graph(), layers, fps=1000, luts=None, target="ecp5", clock_mhz=50.0)


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
