"""Files that are damaged, hostile, or no model: one line each, and nothing outside is opened."""

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


def test_cycles_duplicates_and_strays(tmp_path):
    path = tmp_path / "m.onnx"

    def refused(model, match):
        path.write_bytes(model.SerializeToString())
        with pytest.raises(ModelError, match=match):
            read_qonnx(path)

    model = dense(start()).model()
    model.graph.node[0].input[0] = model.graph.node[-1].output[0]
    refused(model, r"not a valid ONNX model: .*topologically sorted")
    model = dense(start()).model()
    twice = model.graph.node.add()
    twice.CopyFrom(model.graph.node[-2])
    refused(model, r"not a valid ONNX model: .*SSA")
    model = dense(start()).model()
    model.graph.initializer.append(model.graph.initializer[0])
    refused(model, r"two tensors are called 'c2'")
    model = dense(start()).model()
    model.graph.output[0].name = "nowhere"
    refused(model, r"not a valid ONNX model|output 'nowhere'")
    model = dense(start()).model()
    model.graph.output[0].name = model.graph.node[1].output[0]
    refused(model, r"does not depend on the input|no quantised layer")


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
