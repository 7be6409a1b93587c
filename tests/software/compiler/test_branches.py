"""Forks and joins: sums and concatenations on one grid, exact, and passes that keep them."""

import numpy as np
import pytest

from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.ir.ops import Concat, Conv, MaxPool, Sum, SumPool, Threshold, ZeroPad
from exact import assert_exact
from qonnx_nets import Net, grid, random_bn


def normal(rng, *shape):
    return rng.normal(size=shape)


def image(channels=2):
    return Net(channels, 6, 5).quant(4, 0.25, signed=1)


def samples(rng, channels=2, count=20):
    return grid(rng, (count, channels, 6, 5), 0.25, -9, 9)


def found(graph, kind):
    return [n for n in graph.nodes if isinstance(n.op, kind)]


def residual(rng, left, right, op="Add"):
    """relu(bn(conv)) with scale `left`, joined with a convolution of it at `right`."""
    net = image().conv(normal(rng, 4, 2, 3, 3), 3, 0.25, pads=[1, 1, 1, 1])
    net.bn(*random_bn(rng, 4)).node("Relu").quant(3, left)
    kept = net.last
    net.conv(normal(rng, 4, 4, 3, 3), 3, 0.25, pads=[1, 1, 1, 1]).bn(*random_bn(rng, 4))
    return net.quant(4, right, signed=1).node(op, kept)


@pytest.mark.parametrize(
    ("left", "right", "factors"),
    [(0.5, 0.5, (1, 1)), (0.5, 0.25, (1, 2)), (0.3, 0.3, (1, 1)), (0.75, 0.5, (2, 3))],
)
def test_a_residual_block_sums_codes_on_one_grid(tmp_path, left, right, factors):
    rng = np.random.default_rng(0)
    net = residual(rng, left, right).node("Relu")
    total = net.last
    net.quant(4, 0.5).conv(normal(rng, 4, 4, 1, 1), 3, 0.5).quant(4, 0.3, signed=1)
    branch = net.last
    net.last = total
    net.quant(8, 0.3).node("Add", branch).bn(*random_bn(rng, 4)).quant(4, 0.25)
    net.node("Flatten").gemm(normal(rng, 3, 120), 4, 0.25, normal(rng, 3))
    graph = assert_exact(net.save(tmp_path), samples(rng), float32=False)
    first, second = found(graph, Sum)
    assert first.op.factors == factors
    assert second.op.factors == (1, 1)
    assert len(graph.consumers(first.name)) == 2
    assert {type(n.op) for n in graph.consumers(first.name)} == {Threshold}


def test_a_difference_and_a_sum_of_sums_are_one_sum(tmp_path):
    rng = np.random.default_rng(1)
    net = residual(rng, 0.5, 0.25, "Sub")
    branch = net.nodes[-2].output[0]
    net.node("Add", branch).quant(5, 0.5, signed=1).conv(normal(rng, 2, 4, 1, 1), 2, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    (total,) = found(graph, Sum)
    assert total.op.factors == (2, -2)  # the branch is added twice


def test_a_sum_may_feed_a_layer_as_codes(tmp_path):
    rng = np.random.default_rng(2)
    net = image()
    kept = net.last
    net.conv(normal(rng, 2, 2, 1, 1), 3, 0.25).quant(4, 0.25, signed=1).node("Add", kept)
    net.conv(normal(rng, 3, 2, 1, 1), 3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    layer = found(graph, Conv)[-1]
    assert str(graph.node(layer.op.x).type) == "int5[2, 6, 5]"
    assert isinstance(graph.node(layer.op.x).op, Threshold)


def test_relu_between_a_quantiser_and_a_layer_is_a_code_of_its_own(tmp_path):
    rng = np.random.default_rng(3)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).quant(3, 0.3, signed=1).node("Relu")
    net.conv(normal(rng, 3, 3, 1, 1), 3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng), float32=False)
    kinds = [str(n.type) for n in found(graph, Threshold)]
    assert kinds == ["uint2[3, 6, 5]"]  # merged with the quantiser's thresholds


def test_codes_that_reading_adds_are_shared_by_their_readers(tmp_path):
    rng = np.random.default_rng(3)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).quant(3, 0.5, signed=1)
    both = net.last
    net.node("Relu")
    relu = net.last
    net.conv(normal(rng, 3, 3, 1, 1), 3, 0.5).quant(3, 0.5, signed=1)
    left = net.last
    net.last = relu
    net.conv(normal(rng, 3, 3, 1, 1), 3, 0.5).quant(3, 0.5, signed=1).node("Sum", left, relu, both)
    graph = assert_exact(net.quant(4, 1.0, signed=1).save(tmp_path, rank=4), samples(rng))
    (total,) = found(graph, Sum)
    first, second = found(graph, Conv)[1:]
    assert first.op.x == second.op.x == total.op.x[2]


def branches(rng, left, right, quantise=True):
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25)
    acc = net.last
    net.node("Relu")
    first = net.quant(3, left).last if quantise else net.last
    net.last = acc
    net.bn(*random_bn(rng, 3))
    if quantise:
        net.quant(3, right, signed=1)
    return net.node("Concat", first, axis=1)


@pytest.mark.parametrize("right", [0.5, 0.25, 1.5])
def test_concatenated_codes_meet_on_one_grid(tmp_path, right):
    rng = np.random.default_rng(4)
    net = branches(rng, 0.5, right).conv(normal(rng, 4, 6, 3, 3), 3, 0.25).quant(4, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    (joined,) = found(graph, Concat)
    # Another scale costs no stage: the codes' own thresholds make them on the common grid.
    assert all(isinstance(graph.node(name).op, Threshold) for name in joined.op.x)
    assert len(found(graph, Threshold)) == 3


def test_a_quantiser_behind_a_concatenation_reaches_into_both_branches(tmp_path):
    rng = np.random.default_rng(5)
    net = branches(rng, 0, 0, quantise=False).bn(*random_bn(rng, 6))
    net.quant(3, 0.3, signed=1).conv(normal(rng, 4, 6, 3, 3), 3, 0.25).quant(4, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng), float32=False)
    (joined,) = found(graph, Concat)
    assert [type(graph.node(name).op) for name in joined.op.x] == [Threshold] * 2


def test_vectors_of_maps_are_joined_as_vectors(tmp_path):
    rng = np.random.default_rng(6)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).quant(3, 0.5, signed=1)
    whole = net.last
    net.node("Flatten")
    vector = net.last
    net.last = whole
    net.node("MaxPool", kernel_shape=[6, 5]).node("Flatten").node("Concat", vector, axis=1)
    net.gemm(normal(rng, 4, 93), 3, 0.5)
    assert_exact(net.save(tmp_path), samples(rng))


def test_codes_read_behind_a_pool_by_two_layers_are_pooled_once(tmp_path):
    rng = np.random.default_rng(7)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).quant(3, 0.5)
    net.node("MaxPool", kernel_shape=[2, 2])
    pooled = net.last
    net.conv(normal(rng, 3, 3, 1, 1), 3, 0.5).quant(3, 0.5, signed=1)
    left = net.last
    net.last = pooled
    net.conv(normal(rng, 3, 3, 1, 1), 3, 0.5).quant(3, 0.5, signed=1).node("Add", left)
    net.node("Add", pooled).quant(4, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert len(found(graph, MaxPool)) == 1
    assert len(graph.consumers(found(graph, MaxPool)[0].name)) == 3


def test_channels_of_zeros_are_padding(tmp_path):
    rng = np.random.default_rng(8)
    net = residual(rng, 0.5, 0.5).node("Relu")
    total = net.last
    net.node("MaxPool", kernel_shape=[1, 1], strides=[2, 2])
    net.shape_node("Pad", [0, 1, 0, 0, 0, 3, 0, 0]).quant(4, 0.5)
    short = net.last
    net.last = total
    net.quant(4, 0.5).conv(normal(rng, 8, 4, 1, 1), 3, 0.25, strides=[2, 2])
    net.quant(4, 0.5, signed=1).node("Add", short).quant(4, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    (pad,) = found(graph, ZeroPad)
    assert pad.op.channels == (1, 3)


def test_padding_in_front_of_a_layer_becomes_its_own(tmp_path):
    rng = np.random.default_rng(9)
    net = image().shape_node("Pad", [0, 0, 1, 0, 0, 0, 2, 1])
    net.conv(normal(rng, 3, 2, 3, 3), 3, 0.25, pads=[0, 1, 0, 1]).quant(3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert found(graph, Conv)[0].op.pads == (1, 1, 2, 2)
    assert not found(graph, ZeroPad)


def test_bipolar_values_get_a_zero_where_they_are_padded_or_summed(tmp_path):
    rng = np.random.default_rng(10)
    net = Net(2, 6, 5).bipolar(0.5)
    net.conv(normal(rng, 4, 2, 3, 3), 0, 0.5, pads=[1, 1, 1, 1]).bn(*random_bn(rng, 4)).bipolar()
    kept = net.last
    net.conv(normal(rng, 4, 4, 1, 1), 0, 1.0).bn(*random_bn(rng, 4)).bipolar().node("Add", kept)
    net.bn(*random_bn(rng, 4)).quant(2, 0.5).node("GlobalAveragePool").quant(4, 0.125)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    kinds = [str(graph.node(n).type) for n in (found(graph, Sum)[0].op.x)]
    assert kinds == ["int2[4, 6, 5]"] * 2


def test_codes_that_fall_and_a_pool_in_front_of_a_falling_chain(tmp_path):
    rng = np.random.default_rng(11)
    gamma = np.array([-1.0, 1.0, -0.5])
    bn = (gamma, np.zeros(3), np.zeros(3), np.ones(3))
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25)
    net.node("MaxPool", kernel_shape=[2, 2]).bn(*bn).node("Relu").quant(3, 0.25)
    net.node("Neg").quant(3, 0.5, signed=1).conv(normal(rng, 2, 3, 1, 1), 3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    # Thresholds, the pool, and the channels that fall turned back.
    kinds = [type(n.op) for n in graph.nodes]
    assert kinds == [type(graph.nodes[0].op), Conv, Threshold, MaxPool, Threshold, Conv]


def test_an_input_quantised_twice_alike_is_one_input(tmp_path):
    rng = np.random.default_rng(12)
    net = image().conv(normal(rng, 2, 2, 1, 1), 3, 0.25).quant(4, 0.25, signed=1)
    left = net.last
    net.last = "x"
    net.quant(4, 0.25, signed=1).node("Add", left).quant(4, 0.5, signed=1)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert [n.name for n in graph.nodes].count("input") == 1


def test_what_nobody_reads_is_not_in_the_graph(tmp_path):
    rng = np.random.default_rng(13)
    net = residual(rng, 0.5, 0.25)
    first = net.last
    net.node("Add", net.nodes[-2].output[0]).quant(5, 0.5, signed=1)
    graph = read_qonnx(net.save(tmp_path, rank=4))
    assert len(found(graph, Sum)) == 1
    assert first not in {n.name for n in graph.nodes}
    assert all(graph.consumers(n.name) for n in graph.nodes if n.name != graph.output)
    assert not found(graph, SumPool)
