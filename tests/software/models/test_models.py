"""The networks, as float modules and as traced layers."""

import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.models import convnet, mlp
from bitfold.quant import trace


def test_convnet_has_the_shapes_and_names_that_hardware_counts_on() -> None:
    model = convnet((1, 8, 8), 10, (16, 16, 32), (2, 3))
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    layers = trace(model, (1, 8, 8))
    assert [layer.name for layer in layers] == ["conv1", "conv2", "conv3", "dense"]
    assert [layer.feeder for layer in layers] == ["input", "relu1", "relu2", "relu3"]
    assert [layer.norm for layer in layers] == ["norm1", "norm2", "norm3", None]
    assert [layer.pixels for layer in layers] == [64, 64, 16, 1]
    assert [layer.inputs for layer in layers] == [9, 144, 144, 128]
    assert [layer.input_elements for layer in layers] == [64, 1024, 256, 128]
    assert [layer.channels for layer in layers] == [1, 16, 16, 128]


def test_only_the_last_layer_has_a_bias() -> None:
    for model in (convnet((1, 8, 8), 10, (8,), ()), mlp((1, 8, 8), 10, (16,))):
        biases = [name for name, _ in model.named_parameters() if name.endswith("bias")]
        assert biases == ["norm1.bias", "dense.bias"]


def test_mlp_is_traced_through_flatten() -> None:
    layers = trace(mlp((1, 8, 8), 10, (32, 16)), (1, 8, 8))
    assert [(layer.name, layer.feeder) for layer in layers] == [
        ("dense1", "input"),
        ("dense2", "relu1"),
        ("dense", "relu2"),
    ]
    assert [layer.norm for layer in layers] == ["norm1", "norm2", None]


def test_impossible_pools_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"7x7, which 2x2 pooling does not divide"):
        convnet((1, 28, 28), 10, (8, 8, 8), (1, 2, 3))
    with pytest.raises(ConfigError, match=r"pools must lie in 1\.\.2, got \[3\]"):
        convnet((1, 8, 8), 10, (8, 8), (3,))


def test_tracing_leaves_the_model_as_it_was() -> None:
    model = convnet((1, 8, 8), 10, (8,), ())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trace(model, (1, 8, 8))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
