"""The end of a network: what is left to the host, and outputs that are none."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError
from bitfold.ir import quantise_input, run
from bitfold.ir.ops import Sum
from exact import assert_exact
from qonnx_nets import Net, grid


def classifier(rng):
    net = Net(4).quant(3, 0.25).gemm(rng.normal(size=(6, 4)), 3, 0.5).node("Relu").quant(3, 0.5)
    return net.gemm(rng.normal(size=(5, 6)), 3, 0.5, rng.normal(size=5) / 9)


def with_outputs(path, *outputs):
    """The file with other outputs: (name, element type, axes)."""
    model = onnx.load(path)
    del model.graph.output[:]
    for name, kind, axes in outputs:
        shape = [f"d{axis}" for axis in range(axes)]
        model.graph.output.append(helper.make_tensor_value_info(name, kind, shape))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("wanted", [("indices",), ("values", "indices")])
def test_top_k_is_left_to_the_host(tmp_path, wanted):
    rng = np.random.default_rng(0)
    net = classifier(rng)
    logits = net.last
    net.node("TopK", net.constant([1], np.int64), name="best", axis=1)
    net.nodes[-1].output[:] = ["values", "indices"]
    kinds = {"values": TensorProto.FLOAT, "indices": TensorProto.INT64}
    net.last = "values"
    path = with_outputs(net.save(tmp_path), *((name, kinds[name], 2) for name in wanted))
    graph = run_pipeline(read_qonnx(path))
    x = grid(rng, (60, 4), 0.25)
    assert compare(path, graph, x).mismatches == 0
    assert graph.notes == ("left to the host: best; outputs are the values before",)
    ours = graph.output_map.to_real(run(graph, quantise_input(graph, x))).argmax(1)
    assert len(set(ours.tolist())) > 1
    assert logits not in {n.name for n in graph.nodes}


def test_arg_max_and_what_follows_it_are_left_to_the_host(tmp_path):
    rng = np.random.default_rng(1)
    net = classifier(rng).node("ArgMax", name="class", axis=1)
    net.node("Cast", name="real", to=TensorProto.FLOAT).shape_node("Squeeze", [1], name="flat")
    graph = assert_exact(net.save(tmp_path, rank=1), grid(rng, (60, 4), 0.25))
    assert graph.notes == ("left to the host: class, real, flat; outputs are the values before",)


def test_constants_among_the_outputs_are_passed_over(tmp_path):
    # Brevitas: scale, zero point and width of a quantised tensor that leaves the network.
    rng = np.random.default_rng(2)
    net = classifier(rng).quant(4, 0.25, signed=1)
    out, scale = net.last, net.nodes[-1].input[1]
    path = with_outputs(
        net.save(tmp_path), *((scale, TensorProto.FLOAT, 0), (out, TensorProto.FLOAT, 2))
    )
    assert_exact(path, grid(rng, (60, 4), 0.25))


def test_two_outputs_are_refused(tmp_path):
    rng = np.random.default_rng(3)
    net = classifier(rng)
    first = net.last
    net.node("Relu")
    path = with_outputs(
        net.save(tmp_path), *((name, TensorProto.FLOAT, 2) for name in (first, net.last))
    )
    with pytest.raises(ModelError, match=r"the model has 2 outputs, .*; one is compiled"):
        read_qonnx(path)


def test_casts_to_float_change_nothing(tmp_path):
    rng = np.random.default_rng(4)
    net = Net(4).quant(3, 0.25).node("Cast", to=TensorProto.FLOAT)
    net.gemm(rng.normal(size=(6, 4)), 3, 0.5)
    assert_exact(net.save(tmp_path), grid(rng, (40, 4), 0.25))
    net = Net(4).quant(3, 0.25).node("Cast", name="wide", to=TensorProto.DOUBLE)
    with pytest.raises(ModelError, match=r"'wide' \(Cast\): compiled on constants only"):
        read_qonnx(net.gemm(rng.normal(size=(6, 4)), 3, 0.5).save(tmp_path))


def test_a_sum_of_three(tmp_path):
    rng = np.random.default_rng(5)
    net = Net(4).quant(3, 0.25)
    x = net.last
    names = []
    for scale in (0.25, 0.5):
        net.last = x
        names.append(net.gemm(rng.normal(size=(4, 4)), 3, 0.5).quant(4, scale, signed=1).last)
    net.node("Sum", x, names[0]).quant(4, 1.0, signed=1).gemm(rng.normal(size=(3, 4)), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (60, 4), 0.25))
    (total,) = (n.op for n in graph.nodes if isinstance(n.op, Sum))
    assert total.factors == (2, 1, 1)
