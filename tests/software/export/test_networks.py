"""Small residual and depthwise networks: QONNX computes what PyTorch does."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from onnx import ModelProto, numpy_helper
from torch import nn

from bitfold.export import check_equal, run_qonnx, to_qonnx
from bitfold.export.exact import run_exact
from bitfold.models import cifar_resnet, mobilenet_v1, mobilenet_v2
from bitfold.quant import quantise, settle, trace

SHAPE = (3, 16, 16)
SMALL_V2 = ((1, 16, 1, 1), (6, 24, 2, 2))
NETS: dict[str, Callable[[], nn.Module]] = {
    "resnet8 A": lambda: cifar_resnet(SHAPE, 10, 8, 4),
    "resnet8 B": lambda: cifar_resnet(SHAPE, 10, 8, 4, "B"),
    "mobilenet_v1": lambda: mobilenet_v1(SHAPE, 10, 0.25, ((32, 1), (64, 2))),
    "mobilenet_v2": lambda: mobilenet_v2(SHAPE, 10, 0.25, SMALL_V2),
}


def trained(name: str) -> nn.Module:
    """A few steps at mixed bits, then settled, as a search leaves its network."""
    torch.manual_seed(0)
    model = NETS[name]()
    layers = trace(model, SHAPE)
    bits = {layer.name: (2 + i % 3, 2 + i % 4) for i, layer in enumerate(layers)}
    bits[layers[0].name] = bits[layers[-1].name] = (8, 8)
    handles = quantise(model, layers, bits)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    for _ in range(10):
        optimiser.zero_grad()
        model(torch.rand(32, *SHAPE)).square().mean().backward()
        optimiser.step()
    settle(model, handles)
    return model.eval()


@cache
def pair(name: str) -> tuple[nn.Module, ModelProto]:
    model = trained(name)
    return model, to_qonnx(model, SHAPE)


def kinds(name: str) -> Counter[str]:
    return Counter(node.op_type for node in pair(name)[1].graph.node)


@pytest.mark.parametrize("name", NETS)
def test_qonnx_equals_pytorch(name: str) -> None:
    model, graph = pair(name)
    x = np.random.default_rng(0).random((24, *SHAPE), dtype=np.float32)
    with torch.no_grad():
        wanted = model(torch.from_numpy(x)).numpy()
    assert len(np.unique(wanted.round(6), axis=0)) > len(x) // 2
    np.testing.assert_allclose(run_qonnx(graph, x), wanted, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_in_float64_they_agree_far_more_closely(name: str) -> None:
    model, graph = pair(name)
    x = np.random.default_rng(1).random((24, *SHAPE), dtype=np.float32)
    agreement = check_equal(model, graph, x)
    assert agreement.images == 24
    assert run_exact(graph, x).dtype == np.float64


@pytest.mark.parametrize(
    ("name", "count"), [("resnet8 A", 3), ("resnet8 B", 3), ("mobilenet_v2", 2)]
)
def test_branches_of_every_addition_have_one_scale_a_power_of_two(name: str, count: int) -> None:
    graph = pair(name)[1].graph
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    additions = [node for node in graph.node if node.op_type == "Add"]
    assert len(additions) == count
    for node in additions:
        branches = [made_by[output] for output in node.input]
        assert [quant.op_type for quant in branches] == ["Quant", "Quant"]
        assert [values[quant.input[3]].item() for quant in branches] == [8, 8]
        left, right = (values[quant.input[1]].item() for quant in branches)
        assert left == right
        assert np.frexp(left)[0] == 0.5


def test_graphs_have_the_nodes_of_their_networks() -> None:
    resnet, mobile = kinds("resnet8 A"), kinds("mobilenet_v2")
    assert (resnet["Conv"], resnet["Add"], resnet["Pad"], resnet["MaxPool"]) == (7, 3, 2, 2)
    assert (resnet["Relu"], resnet["GlobalAveragePool"], resnet["Gemm"]) == (7, 1, 1)
    assert (mobile["Conv"], mobile["Add"], mobile["Clip"], mobile["Relu"]) == (10, 2, 7, 0)


def test_depthwise_convolutions_keep_their_groups() -> None:
    groups = [
        attribute.i
        for node in pair("mobilenet_v1")[1].graph.node
        if node.op_type == "Conv"
        for attribute in node.attribute
        if attribute.name == "group"
    ]
    assert groups == [1, 8, 1, 8, 1]
