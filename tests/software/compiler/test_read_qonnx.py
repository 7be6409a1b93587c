"""Compiled integers equal the QONNX graph's on random small networks."""

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError
from bitfold.ir.ops import AddBias, Conv, Dense, Flatten, MaxPool, Threshold
from exact import assert_exact
from qonnx_nets import Net, grid, random_bn


def ops(graph):
    return [type(n.op) for n in graph.nodes]


@pytest.mark.parametrize("power_of_two", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_random_convnets_with_ties_and_any_sign_of_gamma(tmp_path, seed, power_of_two):
    rng = np.random.default_rng(seed)
    channels, bits = int(rng.integers(2, 5)), int(rng.integers(1, 6))

    def scale(size=None):
        exponents = rng.integers(-4, 0, size).astype(float)
        return 2.0**exponents if power_of_two else rng.random(size) * 0.3 + 0.05

    def normal(*shape):
        return rng.normal(size=shape)

    pads = [int(p) for p in rng.integers(0, 3, 4)]
    strides = [int(s) for s in rng.integers(1, 3, 2)]
    x_scale, kernel = float(scale()), (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    net = Net(2, 7, 6).quant(bits + 1, x_scale, signed=seed % 2)
    per_channel = scale(channels).reshape(-1, 1, 1, 1)
    net.conv(normal(channels, 2, *kernel), bits + 1, per_channel, pads=pads, strides=strides)
    net.bn(*random_bn(rng, channels))
    if seed % 3 == 0:
        net.node("Relu").node("MaxPool", kernel_shape=[2, 2], strides=[1, 1])
        net.quant(bits, scale())
    elif seed % 3 == 1:
        net.quant(bits + 1, scale(), signed=1, narrow=seed % 2)
        net.node("MaxPool", kernel_shape=[2, 2], strides=[2, 1], pads=[1, 0, 0, 1])
    else:
        net.node("MaxPool", kernel_shape=[2, 1]).node("Relu").quant(bits, scale(), narrow=bits > 1)
    net.conv(normal(3, channels, 1, 1), 3, scale(), normal(3), narrow=0).node("Relu")
    net.quant(4, scale())
    net.node("Flatten")
    features = read_qonnx_shape(net, tmp_path)
    net.gemm(normal(5, features), 4, scale(), normal(5))
    assert_exact(net.save(tmp_path), grid(rng, (12, 2, 7, 6), x_scale, -6, 6), float32=power_of_two)


def read_qonnx_shape(net, folder):
    """Features behind a Flatten: those of the last integers."""
    return int(np.prod(read_qonnx(net.save(folder)).output_type.shape))


@pytest.mark.parametrize(
    "chain",
    [
        lambda n: n.node("Sigmoid"),
        lambda n: n.node("Tanh"),
        lambda n: n.node("Clip", -1.0, 0.7),
        lambda n: n.node("LeakyRelu", alpha=0.1),
        lambda n: n.node("Mul", -0.5).node("Sub", 0.25).node("Elu"),
        lambda n: n.node("Div", np.linspace(-2, 2, 6)).node("Softplus"),
        lambda n: n.node("PRelu", np.full((1, 6), 0.3)).node("Neg"),
        lambda n: n.node("Relu").node("Sqrt"),
        lambda n: n.node("Celu", alpha=0.5).node("Selu"),
        lambda n: n.node("Max", 0.5).node("Log").node("Pow", 3.0),
        lambda n: n.node("HardSigmoid").node("Dropout").node("Identity"),
        lambda n: n.node("Add", np.arange(6.0) / 8).node("Max", 0.0).node("Min", 0.9),
    ],
)
def test_monotone_chains_become_thresholds(tmp_path, chain):
    rng = np.random.default_rng(3)
    net = Net(8).quant(4, 0.125, signed=1).gemm(rng.normal(size=(6, 8)), 4, 0.25)
    chain(net).quant(3, 0.125, signed=1).gemm(rng.normal(size=(3, 6)), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (200, 8), 0.125, -9, 9))
    assert ops(graph)[1:] == [Dense, Threshold, Dense]


def test_two_uses_of_one_accumulator_inside_a_chain_are_one_function(tmp_path):
    rng = np.random.default_rng(4)
    net = Net(8).quant(4, 0.125, signed=1).gemm(rng.normal(size=(6, 8)), 4, 0.25)
    acc = net.last
    net.node("Relu").node("Add", acc).quant(3, 0.5, signed=1).gemm(np.eye(6), 2, 1.0)
    assert_exact(net.save(tmp_path), grid(rng, (60, 8), 0.125, -9, 9))


@pytest.mark.parametrize("padding", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_automatic_padding(tmp_path, padding):
    rng = np.random.default_rng(5)
    net = Net(1, 6, 5).quant(4, 0.25)
    net.conv(rng.normal(size=(2, 1, 3, 2)), 3, 0.5, auto_pad=padding, strides=[2, 2])
    assert_exact(net.save(tmp_path, rank=4), grid(rng, (20, 1, 6, 5), 0.25))


def test_a_row_that_holds_the_least_weight_is_widened_when_it_changes_sign(tmp_path):
    weights = np.array([[-8.0, 3.0], [7.0, -8.0]])
    net = Net(2).quant(3, 1.0).gemm(weights, 4, 1.0, narrow=0)
    net.node("Mul", np.array([-1.0, 1.0])).quant(4, 4.0, signed=1).gemm(np.eye(2), 2, 1.0)
    graph = assert_exact(net.save(tmp_path), np.mgrid[0:9, 0:9].reshape(2, -1).T.astype("f"))
    assert graph.nodes[1].op.weights.bits == 5


@pytest.mark.parametrize("gamma", [0.0, -0.0])
def test_a_channel_with_gamma_zero_is_constant(tmp_path, gamma):
    net = Net(2).quant(3, 1.0).gemm(np.ones((2, 2)), 2, 1.0)
    net.bn([gamma, 1.0], [2.0, 0.0], [1.0, 1.0], [1.0, 1.0]).quant(3, 1.0).gemm(np.eye(2), 2, 1.0)
    graph = assert_exact(net.save(tmp_path), np.mgrid[0:8, 0:8].reshape(2, -1).T.astype("f"))
    op = graph.nodes[2].op
    kind = graph.nodes[1].type
    assert set(op.thresholds[0]) == {kind.min, kind.max + 1}


def test_declared_bits_and_unsigned_weights(tmp_path):
    net = Net(3).quant(3, 0.5)
    name = net.weights(np.array([[1.0, 0, 2], [3, 1, 0]]), 2, 1.0, signed=0, narrow=0)
    net.node("Gemm", name, transB=1).quant(2, 2.0)
    net.gemm(np.array([[1.0, 0.0]]), 6, 1.0)
    graph = assert_exact(net.save(tmp_path), grid(np.random.default_rng(0), (50, 3), 0.5))
    assert [n.op.weights.bits for n in graph.nodes if isinstance(n.op, Dense)] == [3, 6]


def test_bipolar_network_stays_bipolar(tmp_path):
    rng = np.random.default_rng(7)
    net = Net(1, 4, 4).node("Mul", 2.0).node("Sub", [1.0]).bipolar()
    net.conv(rng.normal(size=(3, 1, 2, 2)), 0, 0.5).bn(*random_bn(rng, 3)).bipolar()
    net.node("MaxPool", kernel_shape=[2, 2]).node("Flatten")
    net.gemm(rng.normal(size=(4, 12)), 0, 1.0).bn(*random_bn(rng, 4))
    graph = assert_exact(net.save(tmp_path), rng.random((60, 1, 4, 4), dtype=np.float32))
    assert graph.input_type.bipolar
    assert ops(graph)[1:] == [Conv, Threshold, MaxPool, Flatten, Dense]
    assert graph.nodes[2].type.bipolar


@pytest.mark.parametrize("bias", [None, np.array([0.5, -1.5, 2.0]), np.array([0.3, 0.1, 0.7])])
@pytest.mark.parametrize("hidden", [0, 2])
def test_bipolar_activations_with_integer_weights_become_unsigned(tmp_path, bias, hidden):
    rng = np.random.default_rng(8)
    net = Net(7).bipolar(0.5).gemm(rng.normal(size=(6, 7)), 3, 0.5).bn(*random_bn(rng, 6)).bipolar()
    if hidden:
        net.gemm(rng.normal(size=(5, 6)), hidden, 1.0).node("Tanh").bipolar(2.0)
    last = np.round(rng.normal(size=(3, 5 if hidden else 6)) * 2)
    net.gemm(last, 3, 0.5, *([] if bias is None else [bias]))
    x = rng.normal(size=(100, 7)).astype(np.float32)
    x[0], x[1] = 0.0, -1e-30
    graph = assert_exact(net.save(tmp_path), x)
    assert not any(n.type.bipolar for n in graph.nodes)
    assert graph.input_by_sign


def test_quantised_bias_is_added_in_integers_and_a_float_one_is_left_to_the_map(tmp_path):
    weights = np.array([[1.0, 2.0], [-1.0, 1.0]])
    on_grid = Net(2).quant(3, 0.25).gemm(weights, 3, 0.5, np.array([0.125, -1.0]))
    graph = run_pipeline(read_qonnx(on_grid.save(tmp_path)))
    assert isinstance(graph.nodes[-1].op, AddBias)
    np.testing.assert_array_equal(graph.nodes[-1].op.bias, [1, -8])
    assert not graph.output_map.bias.any()
    between = Net(2).quant(3, 0.25).gemm(weights, 3, 0.5, np.array([0.1, -1.0]))
    graph = run_pipeline(read_qonnx(between.save(tmp_path)))
    assert isinstance(graph.nodes[-1].op, Dense)
    np.testing.assert_array_equal(graph.output_map.bias, np.float32([0.1, -1.0]))
    assert_exact(tmp_path / "model.onnx", grid(np.random.default_rng(1), (20, 2), 0.25))


def test_softmax_is_left_to_the_host_and_noted(tmp_path):
    rng = np.random.default_rng(9)
    net = Net(4).quant(3, 0.25).gemm(rng.normal(size=(3, 4)), 3, 0.5, rng.normal(size=3))
    net.node("Softmax", name="prob", axis=1)
    graph = assert_exact(net.save(tmp_path), grid(rng, (20, 4), 0.25))
    assert graph.notes == ("left to the host: prob; outputs are the values before",)


def test_output_quantiser_is_the_output(tmp_path):
    net = Net(2).quant(3, 0.25).gemm(np.array([[1.0, -1.0]]), 2, 1.0).bipolar(0.5)
    graph = assert_exact(net.save(tmp_path), np.mgrid[0:8, 0:8].reshape(2, -1).T.astype("f") / 4)
    assert graph.output_type.bipolar
    assert float(graph.output_map.scale) == 0.5


def head_by_shape(net):
    """Shape, Gather, Unsqueeze, Concat, Reshape, as older exporters write a flatten."""
    x = net.last
    dims = net.node("Shape", source=x)
    first = net.node("Gather", net.constant(0, np.int64), source=dims, axis=0)
    row = net.node("Unsqueeze", net.constant([0], np.int64), source=first)
    target = net.node("Concat", net.constant([-1], np.int64), source=row, axis=0)
    return net.node("Reshape", target)


@pytest.mark.parametrize(
    "flatten",
    [
        lambda n: n.shape_node("Reshape", [1, 24]),
        lambda n: n.shape_node("Reshape", [-1, 24]),
        lambda n: n.shape_node("Reshape", [0, -1]),
        lambda n: n.node("Transpose", perm=[0, 2, 3, 1]).node("Flatten"),
        lambda n: n.shape_node("Unsqueeze", [1]).shape_node("Squeeze", [1]).node("Flatten"),
        head_by_shape,
    ],
)
def test_free_changes_of_shape(tmp_path, flatten):
    rng = np.random.default_rng(10)
    net = Net(2, 3, 4).quant(4, 0.25)
    flatten(net).matmul(rng.normal(size=(24, 5)), 4, 0.25)
    x = grid(rng, (10, 2, 3, 4), 0.25)
    graph = assert_exact(net.save(tmp_path), x)
    assert ops(graph)[1:] == [Flatten, Dense]


def test_elementwise_nodes_across_a_flatten(tmp_path):
    rng = np.random.default_rng(11)
    net = Net(1, 4, 4).quant(4, 0.25).conv(rng.normal(size=(3, 1, 3, 3)), 3, 0.5)
    net.bn(*random_bn(rng, 3)).node("Flatten").node("Relu").quant(3, 0.5)
    net.gemm(rng.normal(size=(2, 12)), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (30, 1, 4, 4), 0.25))
    assert ops(graph)[1:] == [Conv, Threshold, Flatten, Dense]


def test_repeated_quantisers_cost_nothing(tmp_path):
    rng = np.random.default_rng(12)
    net = Net(5).quant(4, 0.25).quant(4, 0.25).gemm(rng.normal(size=(4, 5)), 3, 0.5).node("Relu")
    net.quant(5, 0.125).quant(3, 0.5).quant(3, 0.5).gemm(rng.normal(size=(3, 4)), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (50, 5), 0.25))
    assert ops(graph)[1:] == [Dense, Threshold, Dense]


def test_scaling_between_quantiser_and_layer_goes_into_the_scale(tmp_path):
    rng = np.random.default_rng(13)
    net = Net(5).quant(4, 0.25).node("Mul", 0.5).gemm(rng.normal(size=(4, 5)), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (50, 5), 0.25))
    assert float(graph.output_map.scale) == 0.0625


def test_annotated_integer_input_needs_no_quantiser(tmp_path):
    rng = np.random.default_rng(14)
    net = Net(6).annotate("BIPOLAR").node("Add", [1.0]).node("Div", 2.0)
    net.gemm(rng.normal(size=(4, 6)), 2, 0.5).node("Relu").quant(2, 0.5)
    net.gemm(rng.normal(size=(1, 4)), 2, 0.5).bipolar()
    x = rng.choice([-1.0, 1.0], (64, 6)).astype(np.float32)
    graph = assert_exact(net.save(tmp_path), x)
    assert str(graph.input_type) == "uint1[6]"
    net = Net(3).annotate("INT4").node("Mul", 0.125).gemm(rng.normal(size=(4, 3)), 2, 0.5)
    graph = assert_exact(net.save(tmp_path), rng.integers(-8, 8, (64, 3)).astype(np.float32))
    assert str(graph.input_type) == "int4[3]"


def test_older_domain_constants_as_nodes_and_a_static_batch(tmp_path):
    rng = np.random.default_rng(15)
    net = Net(6, batch=4, domain="onnx.brevitas", opset=11).quant(4, 0.25)
    net.shape_node("Reshape", [4, 6]).matmul(rng.normal(size=(6, 3)), 4, 0.25)
    assert_exact(net.save(tmp_path), grid(rng, (9, 6), 0.25))


def test_wide_accumulators_are_bisected(tmp_path):
    rng = np.random.default_rng(16)
    net = Net(64).quant(8, 1 / 64).gemm(rng.normal(size=(3, 64)), 8, 1 / 64)
    net.bn(*random_bn(rng, 3)).node("Sigmoid").quant(8, 1 / 256).gemm(np.eye(3), 2, 1.0)
    graph = assert_exact(net.save(tmp_path), rng.random((64, 64), dtype=np.float32), float32=False)
    assert graph.nodes[1].type.bits > 17


def test_samples_of_another_shape_are_refused(tmp_path):
    path = Net(6).quant(4, 0.25).gemm(np.eye(6), 2, 1.0).save(tmp_path)
    with pytest.raises(ModelError, match=r"samples of shape \(5,\).*takes \(6,\)"):
        compare(path, read_qonnx(path), np.zeros((2, 5), np.float32))
