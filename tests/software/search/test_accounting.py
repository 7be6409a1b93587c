"""BitOps and sizes of published networks, and of layers counted by hand.

Figures in G are MAC x weight bits x activation bits of one frame, with 8 bits in the first and the
last layer, after the geometry of the papers' networks; sizes leave biases and norms out.
"""

from collections.abc import Callable

import pytest
from torch import nn

from bitfold.models import cifar_resnet, mobilenet_v1, mobilenet_v2, resnet18, resnet50
from bitfold.policy import LayerBits
from bitfold.quant import Layer, trace
from bitfold.search.problem import CostModel, Problem, layer_shape, pose

LARGE, SMALL = (3, 224, 224), (3, 32, 32)
NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "resnet18": (lambda: resnet18(LARGE, 1000), LARGE),
    "resnet50": (lambda: resnet50(LARGE, 1000), LARGE),
    "mobilenet_v1": (lambda: mobilenet_v1(LARGE, 1000), LARGE),
    "mobilenet_v2": (lambda: mobilenet_v2(LARGE, 1000), LARGE),
    "resnet20": (lambda: cifar_resnet(SMALL, 10), SMALL),
}


def layers_of(name: str) -> tuple[Layer, ...]:
    make, shape = NETS[name]
    return trace(make(), shape)


def uniform(layers: tuple[Layer, ...], kind: str, bits: int) -> float:
    return problem(layers, kind, bits).limit


def problem(layers: tuple[Layer, ...], kind: str, bits: int) -> Problem:
    return pose(
        layers,
        kind=kind,
        value=None,
        like_uniform=bits,
        bits=(2, 3, 4, 5, 6),
        first_last=8,
        target="ecp5",
        seed=0,
    )


@pytest.mark.parametrize(
    ("name", "three", "four"),
    [
        ("resnet18", 22.846e9, 34.714e9),
        ("resnet50", 43.41e9, 71.19e9),
        ("mobilenet_v1", 5.771e9, 9.669e9),
        ("resnet20", 0.389e9, 0.670e9),
    ],
)
def test_bitops_of_uniform_three_and_four_bits(name: str, three: float, four: float) -> None:
    layers = layers_of(name)
    digits = 1e6 if name != "resnet50" else 1e7
    assert round(uniform(layers, "bitops", 3) / digits) == round(three / digits)
    assert round(uniform(layers, "bitops", 4) / digits) == round(four / digits)


def test_layers_of_a_cifar_resnet_by_hand() -> None:
    """Stages of 6 convolutions at 32x32, 16x16 and 8x8; the first of a stage reads half."""
    shapes = {layer.name: layer_shape(layer) for layer in layers_of("resnet20")}
    assert shapes["conv1"].macs == 3 * 9 * 16 * 32 * 32
    assert shapes["layer1.2.conv2"].macs == 16 * 9 * 16 * 32 * 32
    assert shapes["layer2.0.conv1"].macs == 16 * 9 * 32 * 16 * 16
    assert shapes["layer3.0.conv1"].macs == 32 * 9 * 64 * 8 * 8
    assert shapes["layer3.2.conv2"].macs == 64 * 9 * 64 * 8 * 8
    assert shapes["fc"].macs == 64 * 10
    searched = sum(shape.macs for name, shape in shapes.items() if name not in ("conv1", "fc"))
    ends = shapes["conv1"].macs + shapes["fc"].macs
    assert (searched, ends) == (40_108_032, 443_008)
    assert uniform(layers_of("resnet20"), "bitops", 3) == searched * 9 + ends * 64


def test_depthwise_and_pointwise_layers_by_hand() -> None:
    shapes = {layer.name: layer_shape(layer) for layer in layers_of("mobilenet_v2")}
    depthwise = shapes["features.2.conv.1.0"]  # 96 channels, 112x112 to 56x56
    assert (depthwise.macs, depthwise.weights) == (96 * 9 * 56 * 56, 96 * 9)
    assert (depthwise.groups, depthwise.channels) == (96, 96)
    assert shapes["features.2.conv.2"].macs == 96 * 24 * 56 * 56
    assert sum(shape.macs for shape in shapes.values()) == 300_774_272


def test_odd_sizes_are_rounded_as_the_convolution_does_it() -> None:
    """7x7 of stride 2 on 15x15 pixels with padding 3 gives 8x8, and the pool 4x4."""
    layers = trace(resnet18((3, 15, 15), 10, 8), (3, 15, 15))
    assert [layer.pixels for layer in layers][:2] == [64, 16]


@pytest.mark.parametrize(
    ("name", "ratios"),
    [
        ("resnet20", {2: 15.81, 3: 10.60, 4: 7.97, 5: 6.38, 6: 5.33}),
        ("resnet18", {2: 14.11, 3: 9.93, 4: 7.66}),
        ("resnet50", {2: 12.88, 3: 9.40, 4: 7.40}),
    ],
)
def test_size_ratios_of_uniform_bits(name: str, ratios: dict[int, float]) -> None:
    layers = layers_of(name)
    weights = sum(layer_shape(layer).weights for layer in layers)
    came = {bits: round(32 * weights / uniform(layers, "size", bits), 2) for bits in ratios}
    assert came == ratios


def test_sizes_of_mobilenet_v1_in_mebibytes() -> None:
    layers = layers_of("mobilenet_v1")
    sizes = [round(uniform(layers, "size", bits) / 8 / 2**20, 3) for bits in (2, 3, 4)]
    assert sizes == [1.737, 2.116, 2.496]


def test_weights_of_resnet20_and_the_count_of_bsq() -> None:
    """BSQ counts the bias of the dense layer as well, and no shortcut convolution."""
    layers = layers_of("resnet20")
    weights = sum(layer_shape(layer).weights for layer in layers)
    assert weights == 268_336
    assert weights + layers[-1].outputs == 268_346
    projected = trace(cifar_resnet(SMALL, 10, option="B"), SMALL)
    shortcuts = [layer for layer in projected if "downsample" in layer.name]
    assert sum(layer_shape(layer).weights for layer in shortcuts) == 2_560
    assert sum(layer_shape(layer).weights for layer in projected) == weights + 2_560


def test_the_scheme_of_hawq_compresses_resnet20_as_the_paper_says() -> None:
    """8 bits, then 6,6,6,6,8,8, six times 3, six times 2, and 3 for the dense layer: 13.11x."""
    layers = layers_of("resnet20")
    bits = (8, *(6, 6, 6, 6, 8, 8), *(3,) * 6, *(2,) * 6, 3)
    policy = {
        layer.name: LayerBits(w_bits=b, a_bits=4) for layer, b in zip(layers, bits, strict=True)
    }
    costs = CostModel(kind="size", layers=layers, target="ecp5")
    bias = layers[-1].outputs
    ratio = 32 * (268_336 + bias) / (costs.total(policy) + bias * bits[-1])
    assert round(ratio, 3) == 13.107
