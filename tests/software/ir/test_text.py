import json
from dataclasses import replace

import numpy as np
import pytest

from bitfold.errors import ArtefactError
from bitfold.files import digest
from bitfold.ir import run
from bitfold.ir.ops import OPS, Weights
from bitfold.ir.text import load, save, show
from integer_graphs import branching, digits_like, mlp


@pytest.mark.parametrize("graph", [digits_like(), mlp(), mlp(bipolar=True), branching()])
def test_save_load_run_equal(tmp_path, graph):
    marked = replace(
        graph,
        input_range=(graph.input_type.min, graph.input_type.max),
        input_by_sign=True,
        input_shape=graph.input_type.shape,
        input_order=tuple(range(len(graph.input_type.shape))),
        input_rounding="FLOOR",
        notes=("a note",),
    )
    save(marked, tmp_path)
    again = load(tmp_path)
    kind = graph.input_type
    x = np.random.default_rng(0).integers(kind.min, kind.max + 1, (4, *kind.shape))
    x = x | 1 if kind.bipolar else x
    np.testing.assert_array_equal(run(again, x), run(graph, x))
    assert show(again) == show(marked)
    np.testing.assert_array_equal(again.output_map.scale, graph.output_map.scale)
    fields = ("input", "output", "input_range", "input_by_sign", "notes")
    fields += ("input_shape", "input_order", "input_rounding")
    assert [getattr(again, f) for f in fields] == [getattr(marked, f) for f in fields]


def test_the_branching_graph_holds_every_operation_and_its_fields_come_back(tmp_path):
    graph = branching()
    assert {type(n.op) for n in graph.nodes} == {*OPS}
    save(graph, tmp_path)
    for before, after in zip(graph.nodes, load(tmp_path).nodes, strict=True):
        assert (before.name, before.type) == (after.name, after.type)
        for name, value in vars(before.op).items():
            other = getattr(after.op, name)
            assert type(other) is type(value)
            if isinstance(value, Weights):
                np.testing.assert_array_equal(other.values, value.values)
                assert (other.bits, other.bipolar) == (value.bits, value.bipolar)
            else:
                np.testing.assert_array_equal(other, value)


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(mlp(), tmp_path / name)
    for file in ("graph.json", "graph.npz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_show_lists_each_node_with_its_type():
    text = show(digits_like())
    assert len(text.splitlines()) == len(digits_like().nodes) + 1
    assert "Conv 3x3" in text
    assert text.splitlines()[-1].startswith("output: ")


@pytest.mark.parametrize(
    ("array", "change"),
    [
        ("1.weights", lambda a: a + 100),  # outside the declared width
        ("2.thresholds", lambda a: a[:, ::-1]),  # not ascending
        ("2.thresholds", lambda a: a[:1]),  # of other channels
    ],
)
def test_arrays_that_break_a_rule_are_damage(tmp_path, array, change):
    save(mlp(), tmp_path)
    with np.load(tmp_path / "graph.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays[array] = change(arrays[array])
    np.savez(tmp_path / "graph.npz", **arrays)
    value = json.loads((tmp_path / "graph.json").read_text())
    value["arrays_sha256"] = digest(tmp_path / "graph.npz")
    (tmp_path / "graph.json").write_text(json.dumps(value))
    with pytest.raises(ArtefactError, match="damaged graph"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("Conv", {"fields": 0}),
        ("MaxPool", {"stride": [0, 0]}),
        ("Input", {"bits": 1 << 70}),
        ("Input", {"bits": 1 << 36}),
    ],
)
def test_fields_that_no_operation_has_are_damage(tmp_path, operation, change):
    save(branching(), tmp_path)
    value = json.loads((tmp_path / "graph.json").read_text())
    node = next(n for n in value["nodes"] if n["op"] == operation)
    for key, wrong in change.items():
        inner = node["type"] if key == "bits" else node if key == "fields" else node["fields"]
        inner[key] = wrong
    (tmp_path / "graph.json").write_text(json.dumps(value))
    with pytest.raises(ArtefactError, match="damaged graph"):
        load(tmp_path)


def test_damage_is_named(tmp_path):
    with pytest.raises(ArtefactError, match="not found"):
        load(tmp_path)
    save(mlp(), tmp_path)
    good = (tmp_path / "graph.json").read_text()
    (tmp_path / "graph.json").write_text(good[: len(good) // 2])
    with pytest.raises(ArtefactError, match="damaged"):
        load(tmp_path)
    value = json.loads(good)
    (tmp_path / "graph.json").write_text(json.dumps(value | {"schema": 99}))
    with pytest.raises(ArtefactError, match="schema 99"):
        load(tmp_path)
    for broken in ({"nodes": value["nodes"][:-1]}, {"nodes": 5}, {"output": "absent"}):
        (tmp_path / "graph.json").write_text(json.dumps(value | broken))
        with pytest.raises(ArtefactError, match="damaged graph"):
            load(tmp_path)
    (tmp_path / "graph.json").write_text(good)
    arrays = (tmp_path / "graph.npz").read_bytes()
    (tmp_path / "graph.npz").write_bytes(arrays[:-20])
    with pytest.raises(ArtefactError, match="not the arrays"):
        load(tmp_path)
    (tmp_path / "graph.npz").unlink()
    with pytest.raises(ArtefactError, match="not found"):
        load(tmp_path)
