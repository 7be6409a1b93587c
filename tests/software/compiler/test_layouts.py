"""Files whose tensors do not lie as the integer graph wants them."""

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import UnsupportedOp
from bitfold.ir import quantise_input, run
from bitfold.ir.ops import Conv, SumPool, Threshold
from exact import assert_exact
from qonnx_nets import Net, grid, random_bn
from zoo import ZOO, needs_zoo

LAST = "qonnx.custom_op.channels_last"


def normal(rng, *shape):
    return rng.normal(size=shape)


def conv_last(net, w, bits, scale, *bias, **attributes):
    """w (O, C, KH, KW), written channels-last."""
    name = net.weights(np.moveaxis(w, 1, -1), bits, scale)
    rank = w.ndim - 2
    given = {
        "dilations": [1] * rank,
        "strides": [1] * rank,
        "pads": [0] * 2 * rank,
        "group": 1,
        "kernel_shape": list(w.shape[2:]),
    }
    return net.node("Conv", name, *bias, domain=LAST, **{**given, **attributes})


def test_channels_last_nodes(tmp_path):
    rng = np.random.default_rng(0)
    net = Net(6, 5, 3).quant(4, 0.25, signed=1)
    conv_last(net, normal(rng, 3, 1, 3, 3), 3, 0.25, group=3, pads=[1, 1, 1, 1])
    gamma, beta, mean, variance = random_bn(rng, 3)
    net.node("BatchNormalization", gamma, beta, mean, variance, domain=LAST)
    net.quant(4, 0.3, signed=1)
    kept = net.last
    conv_last(net, normal(rng, 3, 3, 1, 1), 3, 0.25, normal(rng, 3)).quant(4, 0.3, signed=1)
    net.node("Add", kept).quant(4, 0.3)
    net.node("MaxPool", domain=LAST, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    net.shape_node("ReduceMean", axes=[1, 2], keepdims=0).quant(6, 0.1)
    net.gemm(normal(rng, 4, 3), 3, 0.5)
    x = grid(rng, (20, 6, 5, 3), 0.25, -9, 9)
    path = net.save(tmp_path)
    graph = run_pipeline(read_qonnx(path))
    assert compare(path, graph, x, qonnx_samples=2).mismatches == 0
    assert graph.input_type.shape == (3, 6, 5)
    assert (graph.sample_shape, graph.input_order) == ((6, 5, 3), (2, 0, 1))
    assert [op.groups for n in graph.nodes if isinstance(op := n.op, Conv)] == [3, 1]


def test_one_dimensional_channels_last_nodes(tmp_path):
    rng = np.random.default_rng(1)
    net = Net(9, 2).quant(4, 0.25, signed=1)
    conv_last(net, normal(rng, 3, 2, 3), 3, 0.25, strides=[2]).node("Relu").quant(3, 0.5)
    net.shape_node("ReduceMean", axes=[1], keepdims=0).quant(5, 0.1).gemm(normal(rng, 2, 3), 3, 1.0)
    path = net.save(tmp_path)
    graph = run_pipeline(read_qonnx(path))
    assert compare(path, graph, grid(rng, (20, 9, 2), 0.25, -9, 9)).mismatches == 0
    assert graph.input_type.shape == (2, 1, 9)


@pytest.mark.parametrize("early", [True, False])
def test_transpositions_around_channels_first_nodes_only_rename(tmp_path, early):
    rng = np.random.default_rng(2)
    net = Net(6, 5, 2)
    if early:
        net.node("Transpose", perm=[0, 3, 1, 2]).quant(4, 0.25, signed=1)
    else:
        net.quant(4, 0.25, signed=1).quant(3, 0.25, signed=1).node("Transpose", perm=[0, 3, 1, 2])
    net.conv(normal(rng, 3, 2, 3, 3), 3, 0.25).node("Transpose", perm=[0, 2, 3, 1])
    net.node("Add", normal(rng, 3)).node("Relu").quant(4, 0.25)
    net.node("Transpose", perm=[0, 3, 1, 2]).conv(normal(rng, 3, 3, 1, 1), 3, 0.5, normal(rng, 3))
    net.node("Transpose", perm=[0, 2, 3, 1])
    graph = assert_exact(net.save(tmp_path, rank=4), grid(rng, (20, 6, 5, 2), 0.25, -9, 9))
    assert graph.input_order == (2, 0, 1)
    assert any("the file transposes them" in note for note in graph.notes)


def test_flat_samples_become_maps(tmp_path):
    rng = np.random.default_rng(3)
    net = Net(24).quant(4, 0.25, signed=1).shape_node("Reshape", [1, 2, 3, 4])
    net.conv(normal(rng, 3, 2, 2, 2), 3, 0.25).quant(4, 1.0, signed=1)
    graph = assert_exact(net.save(tmp_path, rank=4), grid(rng, (20, 24), 0.25, -9, 9))
    assert (graph.input_type.shape, graph.sample_shape) == ((2, 3, 4), (24,))


def test_the_mean_of_a_transposed_map_knows_its_axes(tmp_path):
    rng = np.random.default_rng(4)
    net = Net(2, 6, 5).quant(4, 0.25, signed=1).conv(normal(rng, 3, 2, 1, 1), 3, 0.25).node("Relu")
    net.quant(4, 0.5).node("Transpose", perm=[0, 2, 3, 1])
    net.shape_node("ReduceMean", axes=[2], keepdims=0).quant(5, 0.1)
    net.node("Flatten").gemm(normal(rng, 2, 18), 3, 1.0)
    graph = assert_exact(net.save(tmp_path), grid(rng, (20, 2, 6, 5), 0.25, -9, 9))
    (pool,) = (n.op for n in graph.nodes if isinstance(n.op, SumPool))
    assert pool.kernel == (1, 5)


@pytest.mark.parametrize(
    "cut",
    [
        lambda n: n.node("Relu"),
        lambda n: n.node("Mul", 2.0).node("Clip", 0.0, 40.0).node("Mul", 0.5),
        lambda n: n.node("Add", 1.0).node("Max", 0.0).node("Identity"),
    ],
)
def test_a_relu_in_front_of_an_unsigned_input_quantiser_cuts_nothing_more(tmp_path, cut):
    rng = np.random.default_rng(5)
    net = cut(Net(6)).quant(3, 0.25).gemm(rng.normal(size=(4, 6)), 3, 0.5)
    assert_exact(net.save(tmp_path), grid(rng, (60, 6), 0.25, -9, 9))
    net = cut(Net(6)).quant(3, 0.25, signed=1, name="q").gemm(rng.normal(size=(4, 6)), 3, 0.5)
    with pytest.raises(
        UnsupportedOp, match=r"'q': preprocessing in front of it .* rounds otherwise"
    ):
        read_qonnx(net.save(tmp_path))


@needs_zoo
def test_the_separable_network_of_hls4ml_equals_what_qonnx_makes_of_it(tmp_path):
    source = ZOO / "hls4ml_separable_ch_last.onnx"
    whole = run_pipeline(read_qonnx(source))
    assert (whole.sample_shape, whole.input_type.shape) == ((512, 512, 3), (3, 512, 512))
    model = onnx.load(source)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        sizes = value.type.tensor_type.shape.dim
        if [d.dim_value for d in sizes[1:3]] == [512, 512]:
            sizes[1].dim_value, sizes[2].dim_value = 20, 24
    path = tmp_path / "small.onnx"
    onnx.save(model, path)
    graph = run_pipeline(read_qonnx(path))
    x = np.random.default_rng(0).normal(0, 0.4, (4, 20, 24, 3)).astype(np.float32)
    found = compare(path, graph, x, qonnx_samples=1)
    assert (found.mismatches, found.qonnx_mismatches, found.float32_mismatches) == (0, 0, 0)
    # The file itself, channels-last nodes and all, not as the reader turned it round.
    theirs = execute_onnx(ModelWrapper(str(path)), {"global_in": x[:1]})["global_out"]
    ours = graph.output_map.to_real(run(graph, quantise_input(graph, x[:1])))
    np.testing.assert_array_equal(ours.transpose(0, 2, 3, 1), theirs)
    assert len(np.unique(ours)) > 20
    assert sum(isinstance(n.op, Threshold) for n in whole.nodes) == 3
