"""What a plain float model is made of: its layers, what feeds each, what normalises each."""

from collections import Counter
from dataclasses import dataclass
from typing import final

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from bitfold.errors import ConfigError
from bitfold.quant.flow import FREE, LAYERS, NORMS, QUANTISABLE, Flow
from bitfold.quant.grids import grids_of, sources


@final
@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution or dense layer of a traced model. Names are module paths."""

    name: str
    feeder: str  # nn.ReLU, nn.ReLU6 or nn.Identity that the layer reads: its activation quantiser
    norm: str | None  # BatchNorm that follows, if any
    readers: tuple[str, ...]  # quantisers (feeders, grids) that read the normalised outputs
    outputs: int
    inputs: int  # kernel height * kernel width * input channels / groups
    channels: int  # input channels, of all groups
    groups: int
    pixels: int
    input_elements: int  # activations the layer reads, each counted once
    signed: bool  # whether these may be negative
    grid: str | None  # grid whose values, or sums of two, the feeder reads
    averaged: int  # how many of those are averaged before it; 1: none


def trace(model: nn.Module, input_shape: tuple[int, ...]) -> tuple[Layer, ...]:
    """List the layers of `model` in network order.

    `input_shape` is (C, H, W). Every layer must read an nn.ReLU, nn.ReLU6 or nn.Identity (through
    max-pooling, padding and flattening at most) that is called once and feeds no other layer,
    since it becomes the quantiser whose bits are that layer's. Additions and averages must be as
    `grids` wants them. Raises: ConfigError otherwise.
    """
    graph = fx.symbolic_trace(model)
    was = model.training
    model.eval()  # or the zeros would enter the BatchNorm statistics
    ShapeProp(graph.eval()).propagate(torch.zeros(1, *input_shape))
    model.train(was)
    flow = Flow.of(graph)
    found = [(node, _feeder(flow, node)) for node in flow.nodes if flow.calls(node, LAYERS)]
    _check_unshared(flow, found)
    on = frozenset(grid.name for grid in grids_of(flow))
    _check_apart(found, on)
    quantisers = on | {str(feeder.target) for _, feeder in found}
    return tuple(_layer(flow, node, feeder, on, quantisers) for node, feeder in found)


def _feeder(flow: Flow, node: fx.Node) -> fx.Node:
    source = flow.origin(node.args[0], FREE)
    if not flow.calls(source, QUANTISABLE):
        raise ConfigError(
            f"layer {str(node.target)!r} reads {source}, which is not quantised; put an nn.ReLU or "
            "an nn.Identity before it"
        )
    return source


def _check_unshared(flow: Flow, found: list[tuple[fx.Node, fx.Node]]) -> None:
    readers = Counter(feeder.target for _, feeder in found)
    calls = Counter(node.target for node in flow.nodes if node.op == "call_module")
    for node, feeder in found:
        if readers[feeder.target] > 1 or calls[feeder.target] > 1:
            shared = "with another layer" if readers[feeder.target] > 1 else "with another call"
            raise ConfigError(
                f"layer {str(node.target)!r} shares its input {str(feeder.target)!r} {shared}; "
                "give each its own nn.Identity so that each has its own activation bits"
            )


def _check_apart(found: list[tuple[fx.Node, fx.Node]], on: frozenset[str]) -> None:
    for node, feeder in found:
        if feeder.target in on:
            raise ConfigError(
                f"layer {str(node.target)!r} reads {str(feeder.target)!r}, which is also added or "
                "averaged; give the layer its own nn.Identity so that it has its own bits"
            )


def _layer(
    flow: Flow, node: fx.Node, feeder: fx.Node, on: frozenset[str], quantisers: frozenset[str]
) -> Layer:
    module = flow.modules[str(node.target)]
    norm = flow.only_user(node, NORMS)
    weight = module.get_parameter("weight")
    groups = module.groups if isinstance(module, nn.Conv2d) else 1
    read, written = _shape(node.args[0]), _shape(node)
    grid, averages = sources(flow, feeder.args[0], on) or (None, ())
    averaged = 1
    for average in averages:
        averaged *= _window(flow, average)
    return Layer(
        name=str(node.target),
        feeder=str(feeder.target),
        norm=str(norm.target) if norm else None,
        readers=tuple(dict.fromkeys(flow.reached(norm or node, quantisers))),
        outputs=weight.shape[0],
        inputs=weight[0].numel(),
        channels=weight.shape[1] * groups,
        groups=groups,
        pixels=int(torch.Size(written[2:]).numel()),
        input_elements=int(torch.Size(read[1:]).numel()),
        signed=not flow.non_negative(feeder),
        grid=grid,
        averaged=averaged,
    )


def _window(flow: Flow, node: fx.Node) -> int:
    """Pixels of one average, which must be the same for all."""
    module = flow.modules[str(node.target)]
    (height, width), (rows, columns) = _shape(node.args[0])[2:], _shape(node)[2:]
    if isinstance(module, nn.AvgPool2d):
        size = module.kernel_size
        down, across = (size, size) if isinstance(size, int) else size
        even = module.padding in (0, (0, 0)) and not module.ceil_mode
        even = even and module.divisor_override is None
    else:
        down, across = height // rows, width // columns
        even = height % rows == 0 and width % columns == 0
    if not even:
        raise ConfigError(
            f"{str(node.target)!r} averages {height}x{width} to {rows}x{columns}, not each from "
            "as many pixels; pool without padding, to sizes that divide"
        )
    return int(down * across)


def _shape(node: object) -> tuple[int, ...]:
    assert isinstance(node, fx.Node)
    return tuple(node.meta["tensor_meta"].shape)
