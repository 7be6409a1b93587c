"""The networks as traced layers: names, feeders, counts."""

from typing import Any

import pytest
import torch

from bitfold.errors import ConfigError
from bitfold.models import (
    cifar_resnet,
    mobilenet_v1,
    mobilenet_v2,
    resnet18,
    resnet50,
    vgg19,
)
from bitfold.quant import Layer, grids, trace

SMALL = (3, 32, 32)


def by_name(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    return {layer.name: layer for layer in layers}


@pytest.mark.parametrize(
    ("make", "settings", "layers", "grid_count", "parameters"),
    [
        (cifar_resnet, {}, 20, 9, 269_722),
        (cifar_resnet, {"option": "B"}, 22, 9, 272_474),
        (cifar_resnet, {"depth": 8, "width": 4}, 8, 3, 5_006),
        (resnet18, {"classes": 1000}, 21, 8, 11_689_512),
        (resnet50, {"classes": 1000}, 54, 16, 25_557_032),
        (mobilenet_v1, {"classes": 1000}, 28, 1, 4_231_976),
        (mobilenet_v2, {"classes": 1000}, 53, 11, 3_504_872),
        (vgg19, {}, 17, 0, 20_035_018),
    ],
)
def test_counts_are_those_of_the_papers_networks(
    make: Any, settings: dict[str, Any], layers: int, grid_count: int, parameters: int
) -> None:
    model = make(SMALL, **{"classes": 10, **settings})
    found = trace(model, SMALL)
    assert len(found) == layers
    assert len({layer.feeder for layer in found}) == layers
    assert len(grids(model)) == grid_count
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert model.eval()(torch.zeros(2, *SMALL)).shape == (2, settings.get("classes", 10))


def test_a_basic_block_has_its_own_quantiser_for_each_layer_that_reads_its_input() -> None:
    layers = by_name(trace(cifar_resnet(SMALL, 10, 8, 8, "B"), SMALL))
    assert list(layers) == [
        "conv1",
        *("layer1.0.conv1", "layer1.0.conv2"),
        *("layer2.0.conv1", "layer2.0.conv2", "layer2.0.downsample.0"),
        *("layer3.0.conv1", "layer3.0.conv2", "layer3.0.downsample.0"),
        "fc",
    ]
    assert layers["layer2.0.conv1"].feeder == "layer2.0.input"
    assert layers["layer2.0.conv2"].feeder == "layer2.0.relu1"
    assert layers["layer2.0.downsample.0"].feeder == "layer2.0.downsample.input"
    assert layers["layer2.0.downsample.0"].norm == "layer2.0.downsample.1"
    assert layers["fc"].feeder == "pooled"
    assert not any(layer.signed for layer in layers.values())


def test_readers_are_all_quantisers_that_see_a_layers_outputs() -> None:
    layers = by_name(trace(resnet18(SMALL, 10, 8), SMALL))
    assert layers["conv1"].readers == ("layer1.0.input", "layer1.0.join")
    assert layers["layer1.0.conv1"].readers == ("layer1.0.relu1",)
    assert layers["layer1.0.conv2"].readers == ("layer1.0.join",)
    assert layers["layer2.0.downsample.0"].readers == ("layer2.0.join",)
    assert layers["fc"].readers == ()


def test_a_layer_knows_the_grid_whose_sums_or_averages_it_reads() -> None:
    layers = by_name(trace(cifar_resnet(SMALL, 10, 8), SMALL))
    read = {name: (layer.grid, layer.averaged) for name, layer in layers.items()}
    assert read == {
        "conv1": (None, 1),
        "layer1.0.conv1": (None, 1),
        "layer1.0.conv2": (None, 1),
        "layer2.0.conv1": ("layer1.0.join", 1),
        "layer2.0.conv2": (None, 1),
        "layer3.0.conv1": ("layer2.0.join", 1),
        "layer3.0.conv2": (None, 1),
        "fc": ("layer3.0.join", 64),
    }


def test_depthwise_layers_count_the_inputs_of_one_group() -> None:
    layers = by_name(trace(mobilenet_v1(SMALL, 10), SMALL))
    depthwise, pointwise = layers["depthwise2"], layers["pointwise2"]
    assert (depthwise.outputs, depthwise.inputs, depthwise.groups) == (64, 9, 64)
    assert (depthwise.channels, depthwise.pixels) == (64, 64)
    assert (pointwise.outputs, pointwise.inputs, pointwise.groups) == (128, 64, 1)
    assert layers["dense"].grid == "pointwise13_relu"


def test_linear_bottlenecks_have_signed_inputs_and_signed_joins() -> None:
    model = mobilenet_v2(SMALL, 10)
    layers = by_name(trace(model, SMALL))
    signed = [name for name, layer in layers.items() if layer.signed]
    assert signed == [*(f"features.{i}.conv.0.0" for i in range(2, 18)), "features.18.0"]
    joins = [grid for grid in grids(model) if grid.name.endswith("join")]
    assert len(joins) == 10
    assert all(grid.signed for grid in joins)
    assert [grid.signed for grid in grids(model)] == [True] * 10 + [False]
    assert layers["features.4.conv.0.0"].grid == "features.3.join"
    assert layers["features.3.conv.0.0"].grid is None


def test_option_a_skips_pixels_and_pads_channels_with_zeros() -> None:
    block = cifar_resnet(SMALL, 10, 8, 4).get_submodule("layer2.0.downsample")
    x = torch.rand(1, 4, 6, 6)
    out = block(x)
    assert out.shape == (1, 8, 3, 3)
    assert torch.equal(out[:, 2:6], x[:, :, ::2, ::2])
    assert not out[:, :2].any()
    assert not out[:, 6:].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 18}, r"has 6n \+ 2 layers \(8, 14, 20, ...\), got 18"),
        ({"option": "C"}, r'option must be "A" or "B", got \'C\''),
        ({"width": 3}, r"width must be even for option A, got 3"),
    ],
)
def test_impossible_settings_of_a_cifar_resnet_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        cifar_resnet(SMALL, 10, **settings)


def test_vgg_refuses_images_that_it_cannot_halve_five_times() -> None:
    with pytest.raises(ConfigError, match=r"halves the image five times, which 28x28"):
        vgg19((1, 28, 28), 10)
