"""Convolutions of every kind, means, Trunc and moves: integers equal the file's."""

import numpy as np
import onnx
import pytest
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.compiler.reading.truncation import parse_truncation
from bitfold.errors import UnsupportedOp
from bitfold.ir.ops import Conv, DepthToSpace, MaxPool, SumPool, Threshold, Upsample
from exact import assert_exact
from qonnx_nets import QONNX, Net, grid, random_bn


def normal(rng, *shape):
    return rng.normal(size=shape)


def image(channels=2, scale=0.25):
    return Net(channels, 6, 5).quant(4, scale, signed=1)


def samples(rng, channels=2, count=20):
    return grid(rng, (count, channels, 6, 5), 0.25, -9, 9)


def found(graph, kind):
    return [n.op for n in graph.nodes if isinstance(n.op, kind)]


@pytest.mark.parametrize("power_of_two", [True, False])
@pytest.mark.parametrize(
    ("sizes", "dilations"),
    [((2, 2, 2), [1, 1]), ((4, 6, 2), [2, 1]), ((3, 6, 3), [1, 2]), ((2, 3, 1), [3, 2])],
)
def test_groups_and_dilation(tmp_path, sizes, dilations, power_of_two):
    rng = np.random.default_rng(0)
    channels, outputs, groups = sizes
    scale = rng.choice([0.25, 0.5], (outputs, 1, 1, 1))
    net = image(channels).conv(
        *(
            normal(rng, outputs, channels // groups, 2, 2),
            3,
            scale if power_of_two else scale * 0.7,
        ),
        *(normal(rng, outputs),),
        group=groups,
        dilations=dilations,
        strides=[1, 2],
        pads=[0, 1, 2, 1],
    )
    net.bn(*random_bn(rng, outputs)).quant(4, 0.25)
    net.conv(normal(rng, 3, outputs, 1, 1), 3, 0.25)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng, channels), float32=power_of_two)
    assert (found(graph, Conv)[0].groups, found(graph, Conv)[0].dilation) == (
        groups,
        tuple(dilations),
    )


def test_one_scale_per_channel_in_front_of_a_depthwise_convolution(tmp_path):
    rng = np.random.default_rng(1)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).node("Relu")
    net.quant(4, np.array([0.25, 0.5, 0.3]).reshape(1, 3, 1, 1))
    depthwise = net.conv(normal(rng, 6, 1, 2, 2), 3, 0.25, group=3)
    depthwise.quant(4, 0.25, signed=1).conv(normal(rng, 2, 6, 1, 1), 3, 0.25)
    assert_exact(net.save(tmp_path, rank=4), samples(rng), float32=False)
    net = image().conv(normal(rng, 4, 2, 1, 1), 3, 0.25).node("Relu")
    net.quant(4, np.array([0.25, 0.5, 0.25, 0.25]).reshape(1, 4, 1, 1))
    net.conv(normal(rng, 4, 2, 2, 2), 3, 0.25, group=2)
    with pytest.raises(UnsupportedOp, match=r"one scale per channel.*in front of a depthwise"):
        read_qonnx(net.save(tmp_path, rank=4))


def test_one_dimensional_networks(tmp_path):
    rng = np.random.default_rng(2)
    net = Net(3, 15).quant(4, 0.25, signed=1)
    net.conv(normal(rng, 4, 3, 3), 3, 0.25, pads=[1, 0], strides=[2]).node("Relu")
    net.node("MaxPool", kernel_shape=[2]).quant(3, 0.5)
    net.conv(normal(rng, 4, 1, 2), 3, 0.25, group=4, dilations=[2]).node("Relu").quant(4, 0.3)
    net.node("AveragePool", kernel_shape=[3]).quant(4, 0.1).node("Flatten")
    net.gemm(normal(rng, 3, 8), 3, 0.5)
    graph = assert_exact(net.save(tmp_path), grid(rng, (30, 3, 15), 0.25, -9, 9), float32=False)
    assert graph.input_type.shape == (3, 1, 15)
    assert graph.sample_shape == (3, 15)
    assert [op.kernel for op in found(graph, Conv)] == [(1, 3), (1, 2)]
    assert found(graph, SumPool)[0].kernel == (1, 3)


@pytest.mark.parametrize(("mode", "pads"), [("UPPER", (1, 0, 2, 1)), ("LOWER", (2, 1, 1, 0))])
def test_automatic_padding_of_a_dilated_convolution(tmp_path, mode, pads):
    # Rows: 6 windows of span 4 need 3 more; columns: 3 windows of 2, two apart, need 1 more.
    weights = np.random.default_rng(3).normal(size=(3, 2, 2, 2))
    net = image().conv(
        *(weights, 3, 0.25), auto_pad=f"SAME_{mode}", dilations=[3, 1], strides=[1, 2]
    )
    graph = read_qonnx(net.save(tmp_path, rank=4))
    assert found(graph, Conv)[0].pads == pads
    assert graph.output_type.shape == (3, 6, 3)


MEANS = {
    "global": (lambda net: net.node("GlobalAveragePool"), (6, 5)),
    "3x3": (lambda net: net.node("AveragePool", kernel_shape=[3, 3], strides=[1, 2]), (3, 3)),
    "2x5": (lambda net: net.node("AveragePool", kernel_shape=[2, 5]), (2, 5)),
    "padded": (
        lambda net: net.node(
            "AveragePool", kernel_shape=[3, 2], pads=[1, 1, 0, 1], count_include_pad=1
        ),
        (3, 2),
    ),
    "reduced": (lambda net: net.shape_node("ReduceMean", axes=[2, 3], keepdims=1), (6, 5)),
    "rows": (lambda net: net.shape_node("ReduceMean", axes=[-2], keepdims=1), (6, 1)),
}


@pytest.mark.parametrize("scale", [0.25, 0.3])
@pytest.mark.parametrize("name", MEANS)
def test_means_are_sums_with_thresholds(tmp_path, name, scale):
    rng = np.random.default_rng(4)
    make, kernel = MEANS[name]
    net = make(image(scale=scale)).bn(*random_bn(rng, 2)).quant(5, scale / 7, signed=1)
    net.conv(normal(rng, 2, 2, 1, 1), 3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng), float32=scale == 0.25)
    assert [op.kernel for op in found(graph, SumPool)] == [kernel]


def test_the_mean_of_thirds_meets_ties_exactly(tmp_path):
    # Nine codes on a scale of 1/2 make means k/18: those of 9/18, 27/18, ... are ties of scale 1.
    net = Net(1, 3, 3).quant(4, 0.5).node("GlobalAveragePool").quant(3, 1.0)
    net.conv(np.ones((1, 1, 1, 1)), 2, 1.0)
    total = np.arange(0, 100)
    x = np.minimum(15, np.maximum(0, total[:, None] - 15 * np.arange(9))) * 0.5
    graph = assert_exact(net.save(tmp_path, rank=4), x.reshape(-1, 1, 3, 3).astype(np.float32))
    (steps,) = found(graph, Threshold)
    # Half to even: 0.5 goes to 0, 1.5 to 2, 2.5 to 2.
    assert steps.thresholds[0, :4].tolist() == [10, 27, 46, 63]


def trunc_node(*parameters, **attributes):
    names = ["x", *(f"p{i}" for i in range(len(parameters)))]
    node = onnx.helper.make_node("Trunc", names, ["y"], "t", domain=QONNX, **attributes)
    return parse_truncation(node, [np.asarray(p, np.float32) for p in parameters])


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL", "DOWN", "HALF_UP"])
@pytest.mark.parametrize("narrow", [0, 1])
@pytest.mark.parametrize("signed", [0, 1])
def test_truncation_equals_both_versions_of_qonnx(mode, narrow, signed):
    scale = np.float32(0.25 / 9)
    x = (np.arange(-600, 600) * scale).astype(np.float32)
    zero, before, out, bits = (np.float32(v) for v in (0, 8, scale * 16, 4))
    new = trunc_node(
        *(scale, zero, before, out, bits), rounding_mode=mode, narrow=narrow, signed=signed
    )
    want = trunc_v2(x, scale, zero, before, narrow, signed, out, bits, mode)
    np.testing.assert_array_equal(new.codes(x) * new.scale, want)
    old = trunc_node(scale, zero, before, bits, rounding_mode=mode)
    want = trunc_v1(x, scale, zero, before, bits, mode)
    np.testing.assert_array_equal(old.codes(x) * old.scale, want)


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND"])
@pytest.mark.parametrize("version", [1, 2])
def test_truncated_means(tmp_path, version, mode):
    rng = np.random.default_rng(5)
    net = image().conv(normal(rng, 3, 2, 3, 3), 3, 0.25, pads=[1, 1, 1, 1]).node("Relu")
    net.quant(4, 0.25).node("AveragePool", kernel_shape=[3, 3], strides=[1, 1])
    net.domain = QONNX
    given = (0.25 / 9, 0.0, 8.0, 4.0) if version == 1 else (0.25 / 9, 0.0, 8.0, 0.25 * 16 / 9, 4.0)
    more = {} if version == 1 else {"signed": 0, "narrow": 0}
    net.node("Trunc", *given, domain=QONNX, rounding_mode=mode, **more)
    net.conv(normal(rng, 2, 3, 1, 1), 3, 0.5).quant(3, 2.0)
    path = net.save(tmp_path, rank=4)
    model = onnx.load(path)
    model.opset_import[1].version = version  # which decides for qonnx
    onnx.save(model, path)
    graph = assert_exact(path, samples(rng), float32=False)
    assert len(found(graph, SumPool)) == 1


RESIZES = [
    {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    {"mode": "nearest"},
    {"mode": "nearest", "coordinate_transformation_mode": "pytorch_half_pixel"},
]


@pytest.mark.parametrize("attributes", RESIZES)
@pytest.mark.parametrize("sizes", [False, True])
def test_nearest_resize_repeats_pixels(tmp_path, attributes, sizes):
    rng = np.random.default_rng(6)
    net = image().conv(normal(rng, 3, 2, 1, 1), 3, 0.25).node("Relu").quant(3, 0.5)
    if sizes:
        whole = net.constant([1, 3, 12, 15], np.int64)
        net.node("Resize", "", "", whole, **attributes)
    else:
        net.node("Resize", np.zeros(0), np.array([1.0, 1, 2, 3]), **attributes)
    net.conv(normal(rng, 4, 3, 3, 3), 3, 0.25).quant(3, 1.0)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert [op.factor for op in found(graph, Upsample)] == [(2, 3)]


def test_a_static_batch(tmp_path):
    rng = np.random.default_rng(10)
    net = Net(2, 6, 5, batch=3).quant(4, 0.25, signed=1)
    whole = net.constant([3, 2, 12, 5], np.int64)
    net.node("Resize", "", "", whole, mode="nearest").shape_node("Pad", [0, 1, 0, 0, 0, 1, 0, 1])
    kept = net.last
    net.conv(normal(rng, 4, 4, 1, 1), 3, 0.25).quant(4, 0.25, signed=1).node("Add", kept)
    net.quant(5, 0.25, signed=1).node("Concat", kept, axis=1)
    net.node("DepthToSpace", blocksize=2).shape_node("ReduceMean", axes=[2, 3], keepdims=0)
    net.quant(6, 0.1, signed=1).gemm(normal(rng, 3, 2), 3, 0.5)
    assert_exact(net.save(tmp_path), samples(rng, count=7))


def test_older_upsample_and_a_chain_across_it(tmp_path):
    rng = np.random.default_rng(7)
    net = Net(2, 6, 5, opset=9).quant(4, 0.25, signed=1).conv(normal(rng, 3, 2, 1, 1), 3, 0.25)
    net.bn(*random_bn(rng, 3)).node("Upsample", np.array([1.0, 1, 2, 2]), mode="nearest")
    net.node("Relu").quant(3, 0.5)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    # The thresholds stand in front, where there are fewer pixels.
    assert [type(n.op) for n in graph.nodes][2:] == [Threshold, Upsample]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_behind_codes_and_at_the_end(tmp_path, mode):
    rng = np.random.default_rng(8)
    net = image().conv(normal(rng, 8, 2, 1, 1), 3, 0.25).bn(*random_bn(rng, 8))
    net.node("DepthToSpace", blocksize=2, mode=mode).node("Relu").quant(3, 0.5)
    net.conv(normal(rng, 4, 2, 3, 3), 3, 0.25).node("DepthToSpace", blocksize=2, mode=mode)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert [op.mode for op in found(graph, DepthToSpace)] == [mode] * 2
    assert not graph.notes
    net = image().conv(normal(rng, 4, 2, 1, 1), 3, 0.25, normal(rng, 4))
    net.node("DepthToSpace", name="last", blocksize=2, mode=mode)
    graph = assert_exact(net.save(tmp_path, rank=4), samples(rng))
    assert graph.notes == ("left to the host: last; outputs are the values before",)


def test_max_pool_with_ceil_mode_that_cuts_nothing(tmp_path):
    rng = np.random.default_rng(9)
    net = image().node("MaxPool", kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1)
    graph = assert_exact(net.conv(normal(rng, 2, 2, 1, 1), 3, 0.5).save(tmp_path, 4), samples(rng))
    assert len(found(graph, MaxPool)) == 1
