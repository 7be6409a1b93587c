"""Networks whose layers have one and several weight bits: PyTorch = QONNX = integer graph."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto
from torch import nn

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.export import check_equal, to_qonnx
from bitfold.ir import Graph, quantise_input, run
from bitfold.ir.ops import Conv, Dense
from bitfold.models import convnet, mlp
from bitfold.quant import QuantisedLayer, quantise, settle, trace

SHAPE = (1, 8, 8)
# Signs at the input (padded), in the middle and in the last layer, which has a bias.
MIXES = {
    "middle": (convnet(SHAPE, 10, (8, 8), (1, 2)), {"conv1": 4, "conv2": 1, "dense": 3}),
    "ends": (convnet(SHAPE, 10, (8, 8), (2,)), {"conv1": 1, "conv2": 3, "dense": 1}),
    "dense": (mlp(SHAPE, 10, (16, 12)), {"dense1": 1, "dense2": 5, "dense": 1}),
}


@pytest.fixture(scope="module", params=MIXES)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, tuple[QuantisedLayer, ...], ModelProto, Path]:
    net, bits = MIXES[request.param]
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.reset_parameters()
    handles = quantise(net, trace(net, SHAPE), {name: (b, 4) for name, b in bits.items()})
    net.train()
    for _ in range(20):
        net(torch.rand(64, *SHAPE)).square().mean().backward()
    settle(net, handles)
    net.eval()
    proto = to_qonnx(net, SHAPE)
    path = tmp_path_factory.mktemp("bipolar") / "model.onnx"
    onnx.save(proto, path)
    return net, handles, proto, path


@pytest.fixture(scope="module")
def graph(exported: tuple[nn.Module, tuple[QuantisedLayer, ...], ModelProto, Path]) -> Graph:
    return run_pipeline(read_qonnx(exported[3]))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, *SHAPE), dtype=np.float32)


def test_signs_are_written_as_bipolar_quant_with_their_step(
    exported: tuple[nn.Module, tuple[QuantisedLayer, ...], ModelProto, Path],
) -> None:
    _, handles, proto, _ = exported
    values = {v.name: onnx.numpy_helper.to_array(v) for v in proto.graph.initializer}
    came = {}
    for node in proto.graph.node:
        stored = values.get(node.input[0]) if node.input else None
        if stored is not None and stored.ndim > 1 and node.op_type.endswith("Quant"):
            came[node.op_type, float(values[node.input[1]])] = len(node.input)
    wanted = {
        ("BipolarQuant" if handle.weight.bits == (1,) else "Quant", handle.weight.step().item()): (
            2 if handle.weight.bits == (1,) else 4
        )
        for handle in handles
    }
    assert came == wanted


def test_the_integer_graph_holds_signs_where_the_policy_has_one_bit(
    exported: tuple[nn.Module, tuple[QuantisedLayer, ...], ModelProto, Path], graph: Graph
) -> None:
    layers = [node.op.weights for node in graph.nodes if isinstance(node.op, Conv | Dense)]
    assert [(w.bits, w.bipolar) for w in layers] == [
        (handle.weight.bits[0], handle.weight.bits == (1,)) for handle in exported[1]
    ]
    assert all((np.abs(w.values) == 1).all() for w in layers if w.bipolar)


def test_all_three_compute_the_same(
    exported: tuple[nn.Module, tuple[QuantisedLayer, ...], ModelProto, Path], graph: Graph
) -> None:
    net, _, proto, path = exported
    x = images(100)
    check_equal(net, proto, x)
    found = compare(path, graph, x)
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)
    assert (found.float32_mismatches, found.argmax_mismatches) == (0, 0)
    with torch.no_grad():
        wanted = net(torch.from_numpy(x)).numpy()
    ours = run(graph, quantise_input(graph, x))
    integers = (wanted - graph.output_map.bias) / graph.output_map.scale
    np.testing.assert_array_equal(np.rint(integers), ours.reshape(len(x), -1))
    assert len(np.unique(ours)) > 10
