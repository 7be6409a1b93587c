"""model.onnx: what it holds, and that it computes what PyTorch does."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, numpy_helper
from torch import nn

from bitfold.errors import MismatchError
from bitfold.export import check_equal, export_model, run_qonnx, to_qonnx
from bitfold.export.exact import run_exact
from bitfold.files import digest
from bitfold.models import convnet, mlp
from bitfold.policy import BitPolicy, LayerBits
from bitfold.quant import quantise, settle, trace

SHAPE = (1, 8, 8)
BITS = {"conv1": (4, 5), "conv2": (2, 3), "dense": (3, 6)}
POLICY = BitPolicy(
    layers={name: LayerBits(w_bits=w, a_bits=a) for name, (w, a) in BITS.items()},
    made_by={"method": "test"},
)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, *SHAPE), dtype=np.float32)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    net = convnet(SHAPE, 10, (8, 8), (1, 2))
    handles = quantise(net, trace(net, SHAPE), BITS)
    net.train()
    for _ in range(20):
        net(torch.rand(64, *SHAPE)).square().mean().backward()
    settle(net, handles)
    return net.eval()


@pytest.fixture(scope="module")
def graph(model: nn.Module) -> ModelProto:
    return to_qonnx(model, SHAPE)


def constants(graph: ModelProto) -> dict[str, np.ndarray]:
    return {value.name: numpy_helper.to_array(value) for value in graph.graph.initializer}


def test_every_quant_node_has_the_width_and_sign_of_the_policy(graph: ModelProto) -> None:
    values = constants(graph)
    weights, acts, biases = [], [], []
    for node in graph.graph.node:
        if node.op_type != "Quant":
            continue
        scale, zero, width = (values[name] for name in node.input[1:])
        signed = next(a.i for a in node.attribute if a.name == "signed")
        mode = next(a.s for a in node.attribute if a.name == "rounding_mode")
        assert zero.item() == 0
        assert scale.size == 1
        assert scale.item() > 0
        assert mode.upper() == b"ROUND"
        if node.input[0] not in values:
            assert not signed
            acts.append(int(width))
        elif values[node.input[0]].ndim > 1:
            assert signed
            weights.append(int(width))
        else:
            biases.append((int(width), scale.item()))
    assert weights == [w for w, _ in BITS.values()]
    assert acts == [a for _, a in BITS.values()]
    assert [width for width, _ in biases] == [32]


def test_graph_has_the_nodes_that_the_compiler_reads(graph: ModelProto) -> None:
    kinds = [node.op_type for node in graph.graph.node if node.op_type != "Quant"]
    block = ["Conv", "BatchNormalization", "Relu", "MaxPool"]
    assert kinds == [*block, *block, "Flatten", "Gemm"]
    dims = [d.dim_value for d in graph.graph.input[0].type.tensor_type.shape.dim]
    assert dims == [1, *SHAPE]


def test_bias_scale_is_input_scale_times_weight_scale(graph: ModelProto) -> None:
    values = constants(graph)
    scales = {
        n.output[0]: values[n.input[1]].item() for n in graph.graph.node if n.op_type == "Quant"
    }
    gemm = next(node for node in graph.graph.node if node.op_type == "Gemm")
    act = [n for n in graph.graph.node if n.op_type == "Quant" and n.input[0] not in values][-1]
    wanted = scales[act.output[0]] * scales[gemm.input[1]]
    assert scales[gemm.input[2]] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_qonnx_equals_pytorch_in_any_batch(model: nn.Module, graph: ModelProto, batch: int) -> None:
    x = images(batch)
    with torch.no_grad():
        wanted = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(run_qonnx(graph, x), wanted, atol=1e-5)


def test_agreement_counts_all_images(model: nn.Module, graph: ModelProto) -> None:
    agreement = check_equal(model, graph, images(700))
    assert agreement.images == 700
    assert agreement.largest_difference < 1e-4


def test_a_graph_that_differs_by_one_weight_is_refused(model: nn.Module, graph: ModelProto) -> None:
    altered = ModelProto()
    altered.CopyFrom(graph)
    for value in altered.graph.initializer:
        array = numpy_helper.to_array(value).copy()
        if array.shape == (8, 8, 3, 3):
            array[0, 0, 1, 1] += 1.0
            value.CopyFrom(numpy_helper.from_array(array, value.name))
    with pytest.raises(MismatchError, match=r"PyTorch and QONNX differ on \d+ of 64 images"):
        check_equal(model, altered, images(64))


def test_a_mismatch_leaves_no_files(
    model: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(graph: ModelProto, x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 10), np.float32)

    monkeypatch.setattr("bitfold.export.check.run_qonnx", broken)
    with pytest.raises(MismatchError):
        export_model(model, POLICY, images(8), np.zeros(8, np.int64), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 4])
def test_a_few_images_may_round_otherwise_in_float32(
    model: nn.Module, graph: ModelProto, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    def rounded(graph: ModelProto, x: np.ndarray) -> np.ndarray:
        outputs = run_qonnx(graph, x)
        if len(x) > 1:
            outputs[:count] += 0.1
        return outputs

    monkeypatch.setattr("bitfold.export.check.run_qonnx", rounded)
    if count == 1:
        agreement = check_equal(model, graph, images(20))
        assert agreement.rounded == 1
        assert agreement.largest_difference < 1e-4
    else:
        with pytest.raises(MismatchError, match="differ on 4 of 20 images"):
            check_equal(model, graph, images(20))


def test_what_differs_in_float64_is_no_rounding(
    model: nn.Module, graph: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(graph: ModelProto, x: np.ndarray) -> np.ndarray:
        outputs = run_exact(graph, x)
        outputs[3] += 0.01
        return outputs

    monkeypatch.setattr("bitfold.export.check.run_exact", wrong)
    with pytest.raises(MismatchError, match="both in float64, differ on 1 of 20 images"):
        check_equal(model, graph, images(20))


def test_nan_logits_are_a_mismatch(model: nn.Module, graph: ModelProto) -> None:
    x = images(4)
    x[2] = np.nan
    with pytest.raises(MismatchError):
        check_equal(model, graph, x)


def test_exported_files_can_be_read_back(model: nn.Module, tmp_path: Path) -> None:
    x, y = images(40), np.arange(40) % 10
    export_model(model, POLICY, x, y, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.onnx", "policy.json", "test.npz"]
    assert BitPolicy.read(tmp_path / "policy.json").layers == POLICY.layers
    with np.load(tmp_path / "test.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["x"], x)
        np.testing.assert_array_equal(file["y"], y)
        assert (file["x"].dtype, file["y"].dtype) == (np.float32, np.int64)
    read = onnx.load(tmp_path / "model.onnx")
    notes = {entry.key: entry.value for entry in read.metadata_props}
    assert notes["bitfold_policy_sha256"] == digest(tmp_path / "policy.json")
    assert notes["bitfold_version"]
    with torch.no_grad():
        wanted = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(run_qonnx(read, x), wanted, atol=1e-5)


def test_the_same_model_gives_the_same_bytes(model: nn.Module, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_model(model, POLICY, images(4), np.zeros(4, np.int64), tmp_path / name)
    for file in ("model.onnx", "test.npz", "policy.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_mlp_exports_too() -> None:
    torch.manual_seed(0)
    net = mlp(SHAPE, 10, (16, 8))
    layers = trace(net, SHAPE)
    quantise(net, layers, {layer.name: (2, 2) for layer in layers})
    net.train()
    net(torch.rand(64, *SHAPE))
    check_equal(net.eval(), to_qonnx(net, SHAPE), images(32))
