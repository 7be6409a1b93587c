"""Each way a model can be wrong gives one line that names the place, the rule and the remedy."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

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
        lambda: dense(start().node("Conv", EYE, name="c7", domain="qonnx.custom_op.channels_last")),
        r"node 'c7' \(Conv\) of domain 'qonnx.custom_op.channels_last'.*channels-first",
    ),
    (
        lambda: dense(start().node("DequantizeLinear", 0.5, name="dq")),
        r"node 'dq' \(DequantizeLinear\).*qcdq_to_qonnx",
    ),
    (lambda: start().quant(4, 0.5, zero=3.0, name="z"), r"'z' \(Quant\): zero point 3.*must be 0"),
    (lambda: start().quant(4, 0.5, mode="FLOOR", name="f"), r"'f'.*rounding_mode 'FLOOR'.*ROUND"),
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
        lambda: dense(
            dense(start()).node("Relu").quant(3, 0.5).node("Neg").quant(3, 0.5, signed=1)
        ),
        r"only increasing functions are compiled",
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
        lambda: image().conv(np.ones((2, 1, 2, 2)), 3, 0.5, group=2),
        r"\(Conv\): group = 2 \(depthwise or grouped\); only group = 1",
    ),
    (lambda: image().conv(KERNEL, 3, 0.5, dilations=[2, 2]), r"dilations \[2, 2\]; only 1"),
    (lambda: image(2, 9).conv(np.ones((2, 2, 3)), 3, 0.5), r"only two-dimensional convolutions"),
    (
        lambda: image().node("Transpose", perm=[0, 2, 3, 1]).conv(np.ones((2, 4, 2, 2)), 3, 0.5),
        r"is not the channels-first map",
    ),
    (
        lambda: Net(2, 4, 4).bipolar().conv(KERNEL, 0, 0.5, pads=[1, 1, 1, 1]),
        r"pads \[1, 1, 1, 1\] on bipolar .* have no zero. Use padding 0",
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
    ("scale", "match"),
    [
        (0.25, r"node 'skip' \(Add\): joins 'b' and 'a', whose scales differ \(0.25 and 0.5\)"),
        (0.5, r"node 'skip' \(Add\): joins 'b' and 'a'; only chains.*Remove the skip"),
    ],
)
def test_residual_add(tmp_path, scale, match):
    net = dense(start()).quant(3, 0.5, name="a")
    a = net.last
    dense(net).quant(3, scale, name="b").node("Add", a, name="skip")
    with pytest.raises(UnsupportedOp, match=match):
        read_qonnx(dense(net).save(tmp_path))


def test_two_readers_of_one_tensor(tmp_path):
    net = start()
    x = net.last
    dense(net, name="first").quant(3, 0.5)
    left = net.last
    net.last = x
    dense(net, name="second").quant(3, 0.5).node("Add", left)
    with pytest.raises(UnsupportedOp, match=r"node 'second'.*'first' reads as well.*branch"):
        read_qonnx(net.save(tmp_path))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "the file is empty"),
        (b"MZ\x00\x01 not a model at all", "not an ONNX model|holds no node"),
        (b"\x00" * 4096, "not an ONNX model|holds no node"),
        (onnx.ModelProto().SerializeToString() or b"\x08\x08", "holds no node"),
    ],
)
def test_files_that_are_no_model(tmp_path, data, match):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=match):
        read_qonnx(path)


def test_every_truncation_of_a_model_is_an_error(tmp_path):
    data = dense(start()).save(tmp_path).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        with pytest.raises(ModelError):
            read_qonnx(path)


def test_random_damage_never_escapes_as_another_exception(tmp_path):
    data = bytearray(dense(dense(start()).node("Relu").quant(3, 0.5)).save(tmp_path).read_bytes())
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged.onnx"
    refused = 0
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(3):
            broken[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(broken)
        try:
            read_qonnx(path)
        except ModelError:
            refused += 1
    assert refused > 50


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        read_qonnx(tmp_path / "absent.onnx")
    with pytest.raises(ModelError, match="no such file"):
        read_qonnx(tmp_path)


def external(net, location, **entries):
    model = net.model()
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return model


@pytest.mark.parametrize(
    ("location", "match"),
    [
        ("../secret", "outside the model's folder; it is not opened"),
        ("/etc/passwd", "outside the model's folder; it is not opened"),
        ("link", "outside the model's folder; it is not opened"),
        ("", "outside the model's folder"),
        ("absent.data", "which is not there"),
    ],
)
def test_side_files_outside_the_folder_are_not_opened(tmp_path, location, match):
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    path = folder / "m.onnx"
    path.write_bytes(external(dense(start()), location).SerializeToString())
    with pytest.raises(ModelError, match=match):
        read_qonnx(path)


def test_side_files_beside_the_model_are_read(tmp_path):
    net = start().gemm(EYE, 3, 0.5)
    net.constants.append(net.constants.pop(-4))  # the weights last
    stored = bytes(net.constants[-1].raw_data)
    (tmp_path / "m.data").write_bytes(b"\xff" * 8 + stored)
    path = tmp_path / "m.onnx"
    path.write_bytes(external(net, "m.data", offset=8, length=len(stored)).SerializeToString())
    assert read_qonnx(path).nodes[-1].op.weights.values.tolist() == (EYE * 2).tolist()
    path.write_bytes(external(net, "m.data", offset=8, length=9999).SerializeToString())
    with pytest.raises(ModelError, match=r"but bytes 8\.\.10007 of 72"):
        read_qonnx(path)


def test_a_small_file_cannot_ask_for_a_huge_constant(tmp_path):
    net = start()
    row, column = np.zeros((1, 1 << 15)), np.zeros((1 << 15, 1))
    big = net.node("Add", row, source=net.constant(column), name="bomb")
    net.node("Gemm", big)
    with pytest.raises(ModelError, match=r"node 'bomb' .*constant of 1073741824 elements"):
        read_qonnx(net.save(tmp_path))


def test_names_with_line_breaks_stay_on_one_line(tmp_path):
    net = dense(start()).node("Cos", name="a\nb\x1b[31m").quant(3, 0.5)
    with pytest.raises(UnsupportedOp) as caught:
        read_qonnx(net.save(tmp_path))
    assert str(caught.value).isprintable()


def test_model_local_functions_and_several_inputs_are_refused(tmp_path):
    model = dense(start()).model()
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4]))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="2 inputs and 1 outputs; one of each"):
        read_qonnx(path)
    model = dense(start()).model()
    model.functions.append(
        helper.make_function(QONNX, "F", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [])
    )
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"model-local functions \['F'\]"):
        read_qonnx(path)
