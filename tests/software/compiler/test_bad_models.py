"""Each way a model can be wrong gives one line that names the place, the rule and the remedy."""

import numpy as np
import pytest

from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError, UnsupportedOp
from qonnx_nets import QONNX, Net

EYE = np.eye(4)


def start(*shape):
    return Net(*(shape or (4,))).quant(4, 0.25)


def dense(net, **more):
    return net.gemm(EYE, 3, 0.5, **more)


def image(*shape):
    return Net(*(shape or (2, 4, 4))).quant(4, 0.25)


KERNEL = np.ones((2, 2, 2, 2))

UNSUPPORTED = [
    (
        lambda: dense(start()).node("Cos", name="wave").quant(3, 0.5),
        r"node 'wave' \(Cos\) is not supported \(supported: Abs, Add, .*Replace it",
    ),
    (
        lambda: dense(start().node("Im2Col", name="c7", domain="qonnx.custom_op.channels_last")),
        r"'c7' \(Im2Col\) of domain 'qonnx.custom_op.channels_last'.*It is FINN-ONNX",
    ),
    (
        lambda: dense(start()).node("MultiThreshold", EYE, name="mt", domain=QONNX),
        r"'mt' \(MultiThreshold\) of domain.*It is FINN-ONNX; give the QONNX file",
    ),
    (
        lambda: dense(start()).node("MVAU_hls", name="m", domain="finn.custom_op.fpgadataflow.hls"),
        r"'m' \(MVAU_hls\) of domain .*a hardware layer of FINN; give the QONNX file",
    ),
    (
        lambda: dense(start().node("Foo", name="f", domain="qonnx.custom_op.channels_last")),
        r"'f' \(Foo\) of domain.*Conv, MaxPool and BatchNormalization are read",
    ),
    (
        lambda: dense(start().node("DequantizeLinear", 0.5, name="dq")),
        r"node 'dq' \(DequantizeLinear\).*qcdq_to_qonnx",
    ),
    (lambda: start().quant(4, 0.5, zero=3.0, name="z"), r"'z' \(Quant\): zero point 3.*must be 0"),
    (
        lambda: start().quant(4, 0.5, mode="STOCHASTIC", name="f"),
        r"'f'.*rounding_mode 'STOCHASTIC' is not one of CEIL, .*ROUND",
    ),
    (lambda: start().quant(4, 0.5, mode="FINN", name="f"), r"'f'.*rounding_mode 'FINN' is not"),
    (lambda: start().quant(0, 0.5, name="q"), r"'q'.*bit width 0; it must be an integer from 1"),
    (
        lambda: start().quant(9, 0.5, name="q"),
        r"'q'.*bit width 9; it must be an integer from 1 to 8",
    ),
    (lambda: start().quant(2.5, 0.5, name="q"), r"'q'.*bit width 2\.5"),
    (lambda: start().gemm(EYE, 12, 0.5), r"bit width 12; it must be an integer from 1 to 8"),
    (lambda: start().quant([2, 3, 4, 5], 0.5, name="q"), r"'q'.*4 bit widths; one per tensor"),
    (lambda: start().gemm(EYE, 1, 0.5, narrow=0), r"signed with 1 bit.*Use BipolarQuant"),
    (lambda: start().quant(1, 0.5, narrow=1, name="q"), r"'q'.*narrow range with 1 bit"),
    (
        lambda: start().gemm(EYE - 0.5, 3, 0.5).node("Abs", name="fold").quant(3, 0.5, name="act"),
        r"'act'.*\(fold\) is not monotone in channel 0, near accumulator -?\d+",
    ),
    (
        lambda: (
            image()
            .conv(KERNEL - 1.5 * np.eye(2), 3, 0.5)
            .node("Abs")
            .node("MaxPool", name="p", kernel_shape=[2, 2])
            .node("Mul", 0.0)
            .quant(3, 0.5, name="act")
        ),
        r"node 'p' \(MaxPool\): .* not monotone in channel 0; put quantiser 'act' before the pool",
    ),
    (
        lambda: dense(start()).node("Relu").bipolar(name="sign"),
        r"'sign' \(BipolarQuant\): stands behind a Relu.*Use 2 bits",
    ),
    (
        lambda: image(2, 4, 4, 4).conv(np.ones((2, 2, 2, 2, 2)), 3, 0.5),
        r"convolutions over one or two axes are compiled",
    ),
    (
        lambda: (
            image()
            .conv(KERNEL, 3, 0.5)
            .quant(3, 1.0)
            .node("Transpose", perm=[0, 2, 3, 1])
            .conv(np.ones((2, 3, 2, 2)), 3, 0.5)
        ),
        r"is not the channels-first map",
    ),
    (
        lambda: (
            image(2, 4, 4)
            .shape_node("Reshape", [1, 4, 2, 4])
            .conv(np.ones((2, 4, 2, 2)), 3, 1)
            .quant(3, 1.0)
            .shape_node("Reshape", [1, 3, 2, 1])
            .conv(np.ones((2, 3, 1, 1)), 3, 1)
        ),
        r"is not the channels-first map",
    ),
    (
        lambda: image().node("AveragePool", kernel_shape=[2, 2], pads=[1, 0, 0, 0], name="a"),
        r"'a' \(AveragePool\): pads \[1, 0, 0, 0\] that the mean does not count",
    ),
    (
        lambda: image().node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        r"ceil_mode = 1 adds cut windows",
    ),
    (
        lambda: image().shape_node("ReduceMean", axes=[1], name="r"),
        r"'r' \(ReduceMean\): axes \[1\]; the mean over rows and columns",
    ),
    (
        lambda: image().node(
            "Resize", np.zeros(0), np.array([1, 1, 1.5, 2]), mode="nearest", name="r"
        ),
        r"'r' \(Resize\): makes \(1, 2, 6, 8\).*otherwise than by repeating.*asymmetric",
    ),
    (
        lambda: image().node("Resize", np.zeros(0), np.array([1, 1, 2.0, 2]), mode="linear"),
        r"otherwise than by repeating each pixel",
    ),
    (
        lambda: image().shape_node("Pad", [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect", name="p"),
        r"'p' \(Pad\): mode 'reflect', value 0.0; only zeros",
    ),
    (
        lambda: image().shape_node("Pad", [0, 0, -1, 0, 0, 0, 0, 0], name="p"),
        r"'p' \(Pad\): pads .* cut; only zeros are added",
    ),
    (
        lambda: (
            image()
            .shape_node("Pad", [0, 1, 0, 0, 0, 0, 0, 0])
            .node("Add", 1.0)
            .conv(np.ones((2, 3, 1, 1)), 3, 0.5, name="c")
        ),
        r"'c': reads padded channels that are 1 by now.*quantiser right behind the padding",
    ),
    (
        lambda: image().node("Concat", np.ones((1, 1, 4, 4)), axis=1, name="c"),
        r"'c' \(Concat\): joins runtime tensors and constants; pad with zeros",
    ),
    (
        lambda: (
            image(4, 2, 2)
            .node("DepthToSpace", blocksize=2)
            .conv(np.ones((4, 1, 1, 1)), 3, 0.5)
            .node("DepthToSpace", blocksize=2, name="d")
            .bn(np.ones(1), np.ones(1), np.ones(1), np.ones(1))
            .node("DepthToSpace", blocksize=1, name="e")
            .quant(3, 0.5)
        ),
        r"'e' \(DepthToSpace\): a second one behind 'd'",
    ),
    (
        lambda: image().node(
            "Trunc", 0.25, 0.0, 4.0, 2.0, domain=QONNX, name="t", rounding_mode="x"
        ),
        r"'t' \(Trunc\): rounding_mode 'x' is not one of",
    ),
    (
        lambda: image().node("Trunc", 0.25, 1.0, 4.0, 2.0, domain=QONNX, name="t"),
        r"'t' \(Trunc\): zero point 1.0; it must be 0",
    ),
    (
        lambda: (
            image()
            .conv(KERNEL, 3, 0.5)
            .node("Trunc", 0.125, 0.0, 16.0, 16.0, domain=QONNX, name="t")
        ),
        r"'t' \(Trunc\): bit width 16; it must be an integer from 1 to 8",
    ),
    (
        lambda: (
            image()
            .conv(KERNEL, 3, 0.125)
            .node("Trunc", 1 / 64, 0.0, 8.0, 8.0, domain=QONNX, name="t")
        ),
        r"'t' \(Trunc\): its integers reach from 0 to \d+, more than 8 bits",
    ),
    (
        lambda: image().node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        r"ceil_mode = 1",
    ),
    (
        lambda: dense(Net(4).quant(4, [0.25, 0.5, 0.25, 0.25], name="per_channel")),
        r"one scale per channel; activations need one scale per tensor",
    ),
    (
        lambda: start().gemm(EYE, 3, np.arange(1.0, 5).reshape(1, 4)),
        r"differs within an output channel",
    ),
    (lambda: start().node("Gemm", EYE, alpha=0.5), r"alpha and beta must be 1"),
    (
        lambda: (
            image().conv(KERNEL, 3, 0.5).node("Mul", np.ones((1, 2, 3, 3)).cumsum(3)).quant(3, 1)
        ),
        r"\(Mul\): a constant of shape \(1, 2, 3, 3\) differs within a channel",
    ),
    (
        lambda: dense(dense(start()).node("Softmax", name="soft").quant(3, 0.5)),
        r"stands behind 'soft', which is compiled only at the end",
    ),
    (
        lambda: dense(Net(4).node("Sigmoid", name="pre").quant(4, 0.25)),
        r"preprocessing in front of the input quantiser \(pre\) must be increasing",
    ),
    (
        lambda: dense(Net(4).node("Mul", 0.3, name="norm").quant(4, 0.07)),
        r"\(norm\) rounds otherwise than \(x - bias\) / scale.*where the data is loaded",
    ),
    (
        lambda: Net(3, 2, batch=1).quant(4, 0.25).shape_node("Reshape", [6, 1], name="mix"),
        r"'mix' \(Reshape\): makes shape \(6, 1\).*mixes samples",
    ),
    (
        lambda: image().conv(KERNEL, 3, 0.5).node("MaxPool", name="last", kernel_shape=[2, 2]),
        r"node 'last' \(MaxPool\): the output leaves it unquantised",
    ),
    (
        lambda: (
            image()
            .conv(KERNEL, 3, 0.5)
            .quant(3, 1.0)
            .node("Neg")
            .node("MaxPool", name="last", kernel_shape=[2, 2])
        ),
        r"node 'last' \(MaxPool\): .*put a Quant node behind it, or right in front of it",
    ),
]

WRONG = [
    (
        lambda: image().conv(KERNEL, 3, 0.5).node("GlobalAveragePool", name="a"),
        r"'a': no Quant between 'Conv_\d+' and it",
    ),
    (
        lambda: image(3, 4, 4).node("DepthToSpace", blocksize=2, name="d"),
        r"'d' \(DepthToSpace\): blocksize 2, mode 'DCR' on 3 channels",
    ),
    (
        lambda: Net(4).node("Gemm", EYE).node("Relu"),
        r"no Quant or BipolarQuant node: a float model",
    ),
    (lambda: dense(Net(4)), r"the input reaches it without a quantiser; put a Quant node"),
    (lambda: dense(dense(start())), r"no Quant between 'Gemm_\d+' and it"),
    (lambda: start().node("Gemm", EYE, name="g"), r"'g'.*no Quant between the stored weights"),
    (lambda: start().gemm(EYE * np.nan, 3, 0.5), r"16 of 16 quantised constants are NaN"),
    (lambda: start().gemm(np.full((4, 4), np.inf), 3, 0.5), r"are NaN or infinite"),
    (lambda: start().gemm(EYE, 3, np.inf), r"scale inf; it must be positive and finite"),
    (lambda: start().gemm(EYE, 3, 0.0), r"scale 0.0; it must be positive and finite"),
    (lambda: start().quant(3, -0.5, name="q"), r"'q' \(Quant\): scale -0.5"),
    (
        lambda: dense(start()).node("Add", [0, np.nan, 0, 0], name="b").quant(3, 0.5),
        r"node 'b' \(Add\): input 1 holds NaN or infinity",
    ),
    (
        lambda: dense(start()).node("Sub", 1.0).node("Sqrt", name="root").quant(3, 0.5, name="q"),
        r"'q': gets NaN in channel 0 from accumulator -?\d+ .*root",
    ),
    (lambda: dense(start(5)), r"multiplies \(1, 5\) by weights for \(4,\) inputs"),
    (lambda: dense(start()).node("Add", np.ones(3)).quant(3, 0.5), r"\(3,\) does not fit"),
    (lambda: image().conv(np.ones((2, 2, 9, 9)), 3, 0.5), r"does not fit a map"),
    (lambda: Net("height", 4).quant(4, 0.5), r"'height'.*all but the batch"),
    (lambda: Net(1 << 20, 1 << 20).quant(4, 0.5), r"has 1099511627776 elements; at most"),
    (lambda: image().conv(KERNEL, 3, 0.5, pads=[1 << 30] * 4), r"elements; at most"),
    (
        lambda: image().node("Resize", np.zeros(0), np.array([1, 1, 4e4, 4e4]), mode="nearest"),
        r"would make 5\.12e\+10 elements; at most",
    ),
    (
        lambda: image().shape_node("Pad", [0, 1 << 40, 0, 0, 0, 0, 0, 0]),
        r"elements; at most",
    ),
    (
        lambda: image().shape_node("Pad", [0, 0, 1 << 24, 0, 0, 0, 1 << 24, 0]),
        r"elements; at most",
    ),
    (start, r"no quantised layer between its input and its output"),
    (lambda: Net(4, opset=6).quant(4, 0.5), r"operator set 6; 7 or later"),
]


@pytest.mark.parametrize(
    ("make", "match", "error"),
    [(*case, UnsupportedOp) for case in UNSUPPORTED] + [(*case, ModelError) for case in WRONG],
)
def test_bad_network(tmp_path, make, match, error):
    path = make().save(tmp_path)
    with pytest.raises(ModelError, match=match) as caught:
        read_qonnx(path)
    assert isinstance(caught.value, UnsupportedOp) or error is ModelError
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("other", "match"),
    [
        (
            lambda net: net.quant(3, 0.3, name="b"),
            r"'skip' \(Add\): joins 'b' and 'a', whose scales differ \(0.3 and 0.5\).*shared quant",
        ),
        (
            lambda net: net.node("Mul", 0.25, name="m"),
            r"node 'skip': joins the sums of 'Gemm_\d+' behind m, which rounds them off the grid",
        ),
        (
            lambda net: net.quant(3, 0.5).node("Add", 0.25),
            r"node 'skip': no Quant between 'Quant_\d+' and it \(Add_\d+\)",
        ),
    ],
)
def test_residual_addition_off_the_common_grid(tmp_path, other, match):
    net = dense(start()).quant(3, 0.5, name="a")
    a = net.last
    other(dense(net)).node("Add", a, name="skip")
    with pytest.raises(ModelError, match=match):
        read_qonnx(dense(net.quant(3, 0.5)).save(tmp_path))


def test_sums_of_other_shapes_and_products_of_branches_are_refused(tmp_path):
    net = image()
    x = net.last
    net.conv(KERNEL, 3, 0.5).quant(3, 0.25, signed=1)
    net.node("Add", x, name="skip").quant(3, 0.5)
    with pytest.raises(
        UnsupportedOp, match=r"'skip' \(Add\): adds .*\(1, 2, 3, 3\).*\(1, 2, 4, 4\)"
    ):
        read_qonnx(net.save(tmp_path))
    net = image()
    x = net.last
    net.conv(np.ones((2, 2, 1, 1)), 3, 0.5).quant(3, 0.25, signed=1)
    net.node("Mul", x, name="gate").quant(3, 0.5)
    with pytest.raises(UnsupportedOp, match=r"'gate' \(Mul\): joins two runtime tensors; only Add"):
        read_qonnx(net.save(tmp_path))


def test_concatenated_scales_without_a_common_grid(tmp_path):
    net = image()
    x = net.last
    net.conv(np.ones((2, 2, 1, 1)), 3, 0.5).quant(3, 0.3, name="b")
    net.node("Concat", x, axis=1).conv(np.ones((2, 4, 1, 1)), 3, 0.5, name="c")
    with pytest.raises(UnsupportedOp, match=r"'c': reads a concatenation of 'b', 'input', whose"):
        read_qonnx(net.save(tmp_path))


def test_an_input_quantised_in_two_ways(tmp_path):
    net = Net(4).quant(4, 0.25)
    left = net.last
    net.last = "x"
    dense(net.quant(3, 0.25, name="again")).quant(3, 0.5).node("Add", left)
    with pytest.raises(UnsupportedOp, match=r"'again': the input is quantised a second time"):
        read_qonnx(net.save(tmp_path))
