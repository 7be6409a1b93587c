"""Corners of the operators: one clear refusal each, or the exact result."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from bitfold.compiler.check import compare
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError
from qonnx_nets import QONNX, Net

EYE = np.eye(2)
QUANT = {"domain": QONNX, "signed": 0, "narrow": 0, "rounding_mode": "ROUND"}


def dense(net, **more):
    return net.gemm(EYE, 3, 1.0, **more)


def start():
    return Net(2).quant(3, 1.0)


def image(*shape):
    return Net(*shape).quant(3, 1.0)


def strange(tensor):
    """A network whose weights are `tensor`."""
    net = start()
    net.constants.append(tensor)
    return net.node("Gemm", net.quant(3, 1.0, source=tensor.name), name="g")


def cut_weights():
    net = Net(1).quant(3, 1.0)
    stored = net.constant([[300.0]])
    args = (1.0, 0.0, 8.0, 4.0)
    cut = net.node("Trunc", *args, source=stored, domain=QONNX, rounding_mode="FLOOR")
    return net.node("MatMul", cut, name="m")


def mixed_parts():
    net = image(8, 2, 2).node("DepthToSpace", blocksize=2, name="d")
    net.node("Concat", net.last, axis=1)
    net.node("Quant", np.reshape([0.5, 0.5, 1, 2], (1, 4, 1, 1)), 0.0, 3.0, name="q", **QUANT)
    return net.conv(np.ones((4, 1, 1, 1)), 3, 1.0, group=4)


def scaled(times):
    net = dense(start())
    for _ in range(times):
        net.node("Mul", 3e38)
    return net


def grown(count):
    """Sums of sums: the weights are Fibonacci's numbers."""
    net = start()
    a = net.last
    b = net.node("Quant", 0.5, 0.0, 3.0, source=a, **QUANT)
    for _ in range(count):
        a, b = b, net.node("Add", b, source=a)
    net.last = b
    return dense(net.quant(3, 1000.0))


def cancelling():
    net = start()
    a = net.last
    b = net.node("Quant", 0.5, 0.0, 3.0, source=a, **QUANT)
    first = net.node("Add", b, source=a)
    net.last = net.node("Add", a, source=b)
    return dense(net.node("Sub", first, name="none").quant(3, 1.0))


def turned_pool():
    net = image(4, 2, 2).conv(np.ones((8, 4, 1, 1)), 3, 1.0).node("DepthToSpace", blocksize=2)
    net.node("MaxPool", name="p", kernel_shape=[2, 2]).node("Neg").quant(3, 1.0, signed=1, name="q")
    return net.conv(np.ones((2, 2, 1, 1)), 3, 1.0)


REFUSED = [
    (
        lambda: dense(start()).node("Min", "", name="least").quant(3, 1.0),
        r"node 'least' \(Min\): input 1 has no name; each of its inputs must be a tensor",
    ),
    (
        lambda: (
            image(8, 2, 2)
            .node("Mul", np.array([1.0, 2] * 4).reshape(8, 1, 1))
            .node("DepthToSpace", blocksize=2, name="d")
            .conv(np.ones((2, 2, 1, 1)), 3, 1.0)
        ),
        r"node 'd': mixes channels that are scaled each by another number",
    ),
    (mixed_parts, r"'q': a constant of shape \(1, 4, 1, 1\) behind 'd', which mixes channels"),
    (turned_pool, r"'q': decreases behind 'p' \(MaxPool\), in front of which DepthToSpace"),
    *(
        (
            lambda op=op: dense(Net(2).quant(3, 1.0, signed=1).node(op, name="f"), name="g"),
            r"node 'g': no Quant between 'input' and it \(f\)",
        )
        for op in ("Log", "Sqrt", "Reciprocal")
    ),
    (cut_weights, r"'m' \(MatMul\): weights from 18 to 18, but 'Trunc_\d+' says .* -8\.\.7"),
    (lambda: scaled(9), r"output 't\d+': is integers of 'Gemm_\d+' times inf .*float32 cannot"),
    (
        lambda: dense(start()).node("Mul", 3e38).node("Add", 3e38).node("Mul", 3e38),
        r"float32 cannot hold; scale it by less",
    ),
    (
        lambda: dense(start()).node("Clip", [0.0, 1.0], 3.0, name="c").quant(3, 1.0),
        r"'c' \(Clip\): input 1 has 2 values; a bound is one number",
    ),
    (
        lambda: dense(start()).node("Clip", np.zeros(0), 3.0, name="c").quant(3, 1.0),
        r"'c' \(Clip\): input 1 has 0 values",
    ),
    (
        lambda: strange(helper.make_tensor("w", TensorProto.STRING, [2, 2], [b"1"] * 4)),
        r"tensor 'w': of type object; only reals, integers and truth values",
    ),
    (
        lambda: strange(helper.make_tensor("w", TensorProto.COMPLEX64, [2, 2], [1j] * 4)),
        r"tensor 'w': of type complex64",
    ),
    (
        lambda: image(1, 2, 2).node("Pad", [0, 0, 0, np.nan, 0, 0, 0, 0], name="p"),
        r"'p' \(Pad\): pads .*of type float32; they must be integers",
    ),
    (
        lambda: image(1, 2, 2).node("ReduceMean", np.nan, name="r"),
        r"'r' \(ReduceMean\): axes \[nan\] of type float32; they must be integers",
    ),
    (
        lambda: image(1, 2, 2).shape_node("ReduceMean", [9], name="r"),
        r"'r' \(ReduceMean\): axes \[9\] of a tensor with 4 axes",
    ),
    (
        lambda: dense(Net(2).quant(3, 1.0).gemm(np.zeros((0, 2)), 3, 1.0)),
        r"weights of shape \(0, 2\)",
    ),
    (
        lambda: image(1, 4, 4).conv(
            np.ones((1, 1, 1, 1)), 2, 1.0, pads=[2**40] * 4, strides=[2**40] * 2, name="c"
        ),
        r"'c' \(Conv\): pads .*make a map of \d+ elements; at most",
    ),
    (
        lambda: image(1, 4, 4).node(
            "AveragePool",
            kernel_shape=[2**31] * 2,
            pads=[2**31 - 1] * 4,
            count_include_pad=1,
            strides=[2**31] * 2,
            name="a",
        ),
        r"'a' \(AveragePool\): pads .*make a map of \d+ elements; at most",
    ),
    (lambda: grown(90), r"node 'Add_\d+': its integers need \d+ bits; at most 53"),
    (cancelling, r"'none' \(Sub\): its operands cancel; the sum is 0"),
]


@pytest.mark.parametrize(("make", "match"), REFUSED)
def test_a_corner_is_refused(tmp_path, make, match):
    net = make()
    net.opset = 18 if net.nodes[-1].op_type == "ReduceMean" else net.opset
    path = net.save(tmp_path)
    with pytest.raises(ModelError, match=match) as caught:
        read_qonnx(path)
    assert str(caught.value).startswith(str(path))


def write(folder, nodes):
    """A file of these nodes alone, from x to z."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 2]) for n in ("x", "z")]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    path = folder / "m.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    return path


@pytest.mark.parametrize(
    ("kind", "domain", "inputs"),
    [
        ("Quant", QONNX, []),
        ("Quant", QONNX, ["", "x", "x", "x"]),
        ("Conv", "qonnx.custom_op.channels_last", []),
        ("Conv", "qonnx.custom_op.channels_last", ["x"]),
        ("MaxPool", "qonnx.custom_op.channels_last", [""]),
    ],
)
def test_a_node_without_its_first_inputs_is_refused(tmp_path, kind, domain, inputs):
    node = helper.make_node(kind, inputs, ["z"], "n", domain=domain)
    with pytest.raises(ModelError, match=rf"node 'n' \({kind}\): reads .* needs \d named inputs"):
        read_qonnx(write(tmp_path, [node]))


def uniform_scales_in_a_concatenation():
    net = image(2, 4, 4)
    q = net.last
    net.last = net.node("Quant", np.full((1, 2, 1, 1), 2.0), 0.0, 3.0, source=q, **QUANT)
    return net.node("Concat", q, axis=1).conv(np.ones((2, 4, 1, 1)), 3, 1.0)


def uniform_scales_through_a_layer():
    net = image(2, 2, 2).conv(np.ones((2, 2, 1, 1)), 3, 1.0).quant(3, np.ones((2, 1, 1)))
    flat = net.node("Flatten").last
    net.gemm(np.ones((8, 8)), 3, 1.0).quant(3, 1.0)
    return net.node("Add", flat).quant(3, 1.0).gemm(np.ones((2, 8)), 3, 1.0)


def sum_of_a_vector_and_a_map_with_a_scale_per_channel():
    net = image(2, 2, 2)
    flat = net.node("Flatten", source=net.last)
    net.quant(3, np.reshape([1.0, 0.5], (2, 1, 1))).node("Flatten")
    channels, net.last = net.last, flat
    net.gemm(np.eye(8), 3, 1.0).quant(3, np.repeat([2.0, 1.0], 4))
    return net.node("Add", channels).quant(3, 1.0).gemm(np.ones((2, 8)), 3, 1.0)


def bipolar_channels():
    net = Net(2, 4, 4).bipolar([[[[0.5]], [[0.25]]]])
    return net.conv(np.ones((2, 1, 3, 3)), 3, 1.0, group=2, pads=[1] * 4)


def bipolar_and_its_negative():
    net = Net(2).bipolar(1.0)
    b = net.last
    return net.node("Neg").node("Concat", b, axis=1).gemm([[1.0] * 4], 2, 1.0)


def part_of_mixed_channels():
    """Of one value each, so that mixing does no harm."""
    net = image(8, 2, 2).node("DepthToSpace", blocksize=2)
    net.node("Concat", net.last, axis=1)
    net.bn(*([2.0, 2.0, 3.0, 3.0], [0.0, 0.0, 1.0, 1.0], [0.0] * 4, [1.0] * 4))
    net.node("Mul", np.reshape([0.5, 0.5, 1, 1], (4, 1, 1)))
    net.node("Quant", np.reshape([0.5, 0.5, 1, 1], (1, 4, 1, 1)), 0.0, 3.0, **QUANT)
    return net.conv(np.ones((4, 1, 1, 1)), 3, 1.0, group=4)


def functions_of_later_operator_sets():
    net = dense(Net(2, opset=18).quant(3, 0.25)).node("Mish").node("Pow", 1.7)
    return dense(net.quant(3, 0.5))


def ends_in_padding():
    net = image(1, 1, 2).conv([[[[1.0]]]], 2, 1.0).quant(3, 1.0)
    return net.shape_node("Pad", [0, 0, 0, 1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("make", "rank"),
    [
        (uniform_scales_in_a_concatenation, 4),
        (uniform_scales_through_a_layer, 2),
        (sum_of_a_vector_and_a_map_with_a_scale_per_channel, 2),
        (bipolar_channels, 4),
        (bipolar_and_its_negative, 2),
        (part_of_mixed_channels, 4),
        (functions_of_later_operator_sets, 2),
        (ends_in_padding, 4),
        (lambda: grown(60), 2),
    ],
)
def test_a_corner_is_exact(tmp_path, make, rank):
    path = make().save(tmp_path, rank)
    graph = read_qonnx(path)
    x = np.random.default_rng(0).integers(-3, 8, (16, *graph.sample_shape)).astype(np.float32)
    assert compare(path, graph, x).mismatches == 0


def test_a_thousand_nodes_that_only_move_are_read(tmp_path):
    net = image(1, 1, 1)
    pads = net.constant([0, 0, 0, 0, 0, 0, 0, 1], np.int64)
    for _ in range(1100):
        net.node("Pad", pads)
    graph = read_qonnx(net.conv([[[[1.0]]]], 2, 1.0).save(tmp_path, rank=4))
    assert graph.output_type.shape == (1, 1, 1101)
