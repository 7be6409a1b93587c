"""Nodes called anything at all become networks that Verilator reads and files in their folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph, compile_model
from bitfold.compiler.passes.hardware_names import _free, hardware_names
from bitfold.compiler.passes.rewire import redirect
from bitfold.compiler.pipeline import run_pipeline
from bitfold.ir import Graph, run_all
from bitfold.sim.verilator import lint
from branch_graphs import residual
from qonnx_nets import Net

HOSTILE = (
    "output",
    "input",
    "gather",
    "wire",
    "../../x",
    "/layer1/conv.weight",
    "_layer1_conv_weight",
    "Layer1.Conv.Weight",
    "0",
    "",
    "$finish;",
    "naïve",
    "a" * 300,
    "x_window",
    "x_fork_1",
    "x_as_int8",
    "x",
    "clk_i",
)


def renamed(graph: Graph, names: tuple[str, ...]) -> Graph:
    """The graph with these names for the nodes behind the input."""
    new = {graph.input: graph.input}
    for node, name in zip(graph.nodes[1:], names, strict=False):
        new[node.name] = name
    new |= {n.name: n.name for n in graph.nodes if n.name not in new}
    nodes = tuple(replace(n, name=new[n.name], op=redirect(n.op, new)) for n in graph.nodes)
    return replace(graph, nodes=nodes, output=new[graph.output])


def test_names_are_plain_distinct_and_none_looks_derived():
    graph = renamed(residual(), HOSTILE)
    after = hardware_names(graph)
    names = [n.name for n in after.nodes]
    assert len({name.lower() for name in names}) == len(names)
    for name in names[1:]:
        assert name.isascii()
        assert name.isidentifier()
        assert len(name) < 70
        assert name not in ("input", "output", "gather")
        assert not name.endswith(("_window", "_fork_1", "_as_int8"))
    x = np.random.default_rng(0).integers(0, 8, (3, *graph.input_type.shape))
    got, wanted = run_all(after, x), run_all(graph, x)
    np.testing.assert_array_equal(got[after.output], wanted[graph.output])


def test_the_many_names_that_become_one_are_numbered_without_trying_each_number_again():
    class Asked(set[str]):
        count = 0

        def __contains__(self, name: object) -> bool:
            Asked.count += 1
            return super().__contains__(name)

    taken, counts = Asked(), {}
    for number in range(1, 1001):
        name = _free("X" if number % 2 else "x", taken, counts)
        assert name.lower() == ("x" if number == 1 else f"x_{number}")
        taken.add(name.lower())
    assert Asked.count < 3000


def test_plain_names_stay():
    graph = residual()
    assert hardware_names(graph) is graph


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 5))
def test_any_names_compile_and_stay_in_their_folder(first: int, tmp_path: Path):
    names = (*HOSTILE[first:], *HOSTILE[:first])
    graph = run_pipeline(renamed(residual(), names))
    folder = tmp_path / "deep" / "er" / "design"
    compile_graph(graph, folder, source={"file": "", "sha256": ""}, fps=2000)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and folder not in p.parents] == []
    messages = lint(
        [folder / "sim" / "waivers.vlt", *folder.glob("rtl/*.sv")], "bf_accelerator", {}
    )
    assert messages == ""


def test_a_hostile_file_writes_nothing_elsewhere(tmp_path: Path):
    model = Net(4).quant(4, 0.25).gemm(np.eye(4), 3, 0.5).model()
    for count, node in enumerate(model.graph.node):
        node.name = f"../../../escaped{count}"
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    folder = tmp_path / "deep" / "er" / "design"
    design = compile_model(path, folder)
    assert any("escaped" in stage.name for stage in design.stages)
    assert all(p == path or folder in p.parents for p in tmp_path.rglob("*") if p.is_file())
