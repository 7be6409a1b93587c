"""The check itself: it sees what is wrong, and tells the two references apart."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.input_quantiser import add_input_quantiser
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ConfigError, ModelError
from bitfold.ir.ops import Dense, Threshold
from qonnx_nets import Net, grid


def two_layers(rng, scale):
    net = Net(8).quant(4, scale, signed=1).gemm(rng.normal(size=(6, 8)), 4, scale)
    return net.quant(3, scale, signed=1).gemm(rng.normal(size=(5, 6)), 4, 0.25)


def changed(graph, kind, change):
    nodes = [replace(n, op=change(n.op)) if isinstance(n.op, kind) else n for n in graph.nodes]
    return replace(graph, nodes=tuple(nodes))


def test_a_threshold_one_off_and_a_wrong_weight_are_seen(tmp_path):
    rng = np.random.default_rng(0)
    path = two_layers(rng, 0.25).save(tmp_path)
    graph = run_pipeline(read_qonnx(path))
    x = grid(rng, (200, 8), 0.25, -8, 8)
    assert compare(path, graph, x).mismatches == 0
    off = changed(graph, Threshold, lambda op: replace(op, thresholds=op.thresholds + 1))
    assert compare(path, off, x).mismatches > 0

    def bent(op):
        values = op.weights.values.copy()
        values[0, 0] -= 1
        return replace(op, weights=replace(op.weights, values=values))

    found = compare(path, changed(graph, Dense, bent), x)
    assert found.mismatches > 0
    assert found.argmax_mismatches > 0
    assert found.qonnx_mismatches == 0


def test_float32_sums_that_cross_a_tie_are_counted_apart(tmp_path):
    # One scale, 0.1, for all: accumulators meet ties exactly, which float32 sums blur.
    rng = np.random.default_rng(1)
    net = Net(64).quant(8, 0.1, signed=1).gemm(rng.normal(size=(16, 64)), 4, 0.125)
    net.quant(8, 0.1, signed=1).gemm(rng.normal(size=(5, 16)), 4, 0.25)
    path = net.save(tmp_path)
    graph = run_pipeline(read_qonnx(path))
    found = compare(path, graph, rng.normal(0, 1, (300, 64)).astype(np.float32))
    assert found.mismatches == 0
    assert found.float32_mismatches > 0
    assert found.samples == 300
    assert found.qonnx_samples == 4


def test_a_constant_output_channel_is_compared_as_a_real(tmp_path):
    rng = np.random.default_rng(2)
    net = two_layers(rng, 0.25).bn([0.0, 1, -1, 2, 1], np.ones(5), np.zeros(5), np.ones(5))
    path = net.save(tmp_path)
    graph = run_pipeline(read_qonnx(path))
    x = grid(rng, (50, 8), 0.25, -8, 8)
    assert compare(path, graph, x).mismatches == 0
    wrong = replace(graph.output_map, bias=graph.output_map.bias + 1)
    assert compare(path, replace(graph, output_map=wrong), x).mismatches > 0


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"bits": 9, "scale": 1.0}, "input bits must be from 2 to 8, got 9"),
        ({"bits": 0, "scale": 1.0, "signed": False}, "input bits must be from 1 to 8, got 0"),
        ({"bits": 4, "scale": 0.0}, "input scale must be positive and finite, got 0.0"),
        ({"bits": 4, "scale": 1e-50}, r"positive and finite, got 1e-50 \(in float32: 0\)"),
        ({"bits": 4, "scale": 1e39}, r"positive and finite, got 1e\+39 \(in float32: inf\)"),
    ],
)
def test_added_input_quantiser(tmp_path, more, match):
    rng = np.random.default_rng(3)
    path = Net(8).gemm(rng.normal(size=(6, 8)), 4, 0.5).save(tmp_path)
    with pytest.raises(ConfigError, match=match):
        add_input_quantiser(path, tmp_path / "out.onnx", **more)
    assert not (tmp_path / "out.onnx").exists()
    add_input_quantiser(path, tmp_path / "out.onnx", bits=4, scale=0.25)
    graph = run_pipeline(read_qonnx(tmp_path / "out.onnx"))
    assert compare(tmp_path / "out.onnx", graph, grid(rng, (50, 8), 0.25, -9, 9)).mismatches == 0


def test_an_added_input_quantiser_takes_no_name_of_a_stored_tensor(tmp_path):
    net = Net(2)
    net.constants.append(onnx.numpy_helper.from_array(np.ones(1), "input_quant_scale"))
    path = net.gemm(np.eye(2), 2, 1.0).save(tmp_path)
    add_input_quantiser(path, tmp_path / "out.onnx", bits=4, scale=0.25)
    assert read_qonnx(tmp_path / "out.onnx").input_map.scale == 0.25


def test_a_file_that_qonnx_does_not_run_is_named(tmp_path):
    """The output is declared as float32, and is the integers of an ArgMax."""
    rng = np.random.default_rng(0)
    net = Net(6).quant(4, 0.25).gemm(rng.normal(size=(5, 6)), 3, 0.25)
    path = net.node("ArgMax", axis=1, keepdims=0).save(tmp_path, rank=1)
    graph = run_pipeline(read_qonnx(path))
    with pytest.raises(ModelError, match=r"QONNX itself does not run it \(.*are the types and sha"):
        compare(path, graph, grid(rng, (3, 6), 0.25))
