"""What a plain float model is made of: its layers, what feeds each, what normalises each."""

from dataclasses import dataclass
from typing import final

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from bitfold.errors import ConfigError

_FREE = (nn.MaxPool2d, nn.Flatten, nn.Dropout)  # keep the feeder's grid


@final
@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution or dense layer of a traced model. Names are module paths."""

    name: str
    feeder: str  # nn.ReLU or nn.Identity whose output the layer reads: its activation quantiser
    norm: str | None  # BatchNorm that follows, if any
    follower: str | None  # nn.ReLU after that, if any
    outputs: int
    inputs: int  # kernel height * kernel width * input channels
    channels: int
    pixels: int
    input_elements: int  # activations the layer reads, each counted once


def trace(model: nn.Module, input_shape: tuple[int, ...]) -> tuple[Layer, ...]:
    """List the layers of `model` in network order.

    `input_shape` is (C, H, W). Every layer must read an nn.ReLU or nn.Identity (through pooling
    and flattening at most), and no two layers the same one, since it becomes the quantiser whose
    bits are that layer's. Raises: ConfigError otherwise.
    """
    graph = fx.symbolic_trace(model)
    modules = dict(graph.named_modules())
    was = model.training
    model.eval()  # or the zeros would enter the BatchNorm statistics
    ShapeProp(graph.eval()).propagate(torch.zeros(1, *input_shape))  # type: ignore[no-untyped-call]
    model.train(was)
    layers: list[Layer] = []
    for node in graph.graph.nodes:
        if node.op != "call_module" or not isinstance(modules[node.target], nn.Conv2d | nn.Linear):
            continue
        layers.append(_layer(node, modules))
    feeders = [layer.feeder for layer in layers]
    for layer in layers:
        if feeders.count(layer.feeder) > 1:
            raise ConfigError(
                f"layer {layer.name!r} shares its input {layer.feeder!r} with another layer; "
                "give each its own nn.Identity so that each has its own activation bits"
            )
    return tuple(layers)


def _layer(node: fx.Node, modules: dict[str, nn.Module]) -> Layer:
    name = str(node.target)
    module = modules[name]
    source = node.args[0]
    while isinstance(source, fx.Node) and isinstance(modules.get(str(source.target)), _FREE):
        source = source.args[0]
    feeder = modules.get(str(source.target)) if isinstance(source, fx.Node) else None
    if not isinstance(feeder, nn.ReLU | nn.Identity):
        raise ConfigError(
            f"layer {name!r} reads {source}, which is not quantised; put an nn.ReLU or an "
            "nn.Identity before it"
        )
    norm = _only_user(node, modules, (nn.BatchNorm1d, nn.BatchNorm2d))
    relu = _only_user(norm or node, modules, (nn.ReLU,))
    weight = module.get_parameter("weight")
    read, written = _shape(node.args[0]), _shape(node)
    return Layer(
        name=name,
        feeder=str(source.target),  # type: ignore[union-attr]  # a Node: `feeder` was found by it
        norm=str(norm.target) if norm else None,
        follower=str(relu.target) if relu else None,
        outputs=weight.shape[0],
        inputs=weight[0].numel(),
        channels=weight.shape[1],
        pixels=int(torch.Size(written[2:]).numel()),
        input_elements=int(torch.Size(read[1:]).numel()),
    )


def _only_user(
    node: fx.Node, modules: dict[str, nn.Module], kinds: tuple[type[nn.Module], ...]
) -> fx.Node | None:
    """The one node that reads `node`, if it is of these kinds."""
    users = tuple(node.users)
    one = len(users) == 1 and isinstance(modules.get(str(users[0].target)), kinds)
    return users[0] if one else None


def _shape(node: object) -> tuple[int, ...]:
    assert isinstance(node, fx.Node)
    return tuple(node.meta["tensor_meta"].shape)
