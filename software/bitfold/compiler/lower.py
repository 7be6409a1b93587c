"""Integer graph to layers as the hardware sees them: order of inputs, neighbours, fixed numbers.

The stream order is pixel, then channel; ONNX's is channel, then pixel. A convolution's columns
become (kernel row, kernel column, channel), a dense layer's columns behind a map (row, column,
channel). That is a permutation of weights at compile time and nothing in hardware.
"""

from dataclasses import dataclass
from math import prod
from typing import final

import numpy as np

from bitfold.cost import LayerShape
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, Ints, IntType, Node
from bitfold.ir.ops import AddBias, Conv, Dense, Flatten, Input, MaxPool, Threshold


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class LinearLayer:
    """A matrix product with what follows it: thresholds, or a bias where accumulators leave.

    matrix (outputs, inputs): columns in stream order; values as in the graph.
    """

    name: str
    matrix: Ints
    w_bits: int
    w_bipolar: bool
    x: IntType
    conv: Conv | None
    acc: IntType
    thresholds: Threshold | None
    bias: Ints | None
    pixels: int

    @property
    def shape(self) -> LayerShape:
        """For the cost formulas."""
        outputs, inputs = self.matrix.shape
        channels = self.x.channels if self.conv else inputs
        return LayerShape(
            name=self.name, outputs=outputs, inputs=inputs, pixels=self.pixels, channels=channels
        )


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class PoolLayer:
    """A pooling behind codes, or of the input."""

    name: str
    pool: MaxPool
    x: IntType
    out: IntType


Layer = LinearLayer | PoolLayer


def lower(graph: Graph) -> tuple[Layer, ...]:
    """Layers in order. Requires a chain as the pipeline leaves it. Raises: UnsupportedOp."""
    chain = _chain(graph)
    layers: list[Layer] = []
    types = {node.name: node.type for node in chain}
    flattened: IntType | None = None  # the map that a Flatten has just renamed
    position = 1
    while position < len(chain):
        node = chain[position]
        x = types[node.op.inputs[0]]
        if isinstance(node.op, Flatten):
            flattened = x
        elif isinstance(node.op, MaxPool):
            layers.append(PoolLayer(name=node.name, pool=node.op, x=x, out=node.type))
        elif isinstance(node.op, Conv | Dense):
            layer, used = _linear(chain[position:], x, flattened)
            layers.append(layer)
            flattened = None
            position += used - 1
        else:
            raise UnsupportedOp(
                f"node {node.name!r} ({type(node.op).__name__}) has no hardware at this place; "
                "a chain of convolutions and dense layers, each with its quantiser, is expected"
            )
        position += 1
    if flattened is not None and prod(flattened.shape[1:]) > 1:
        raise UnsupportedOp(
            f"node {chain[-1].name!r} (Flatten): ends the network behind a map; integers "
            "leave it pixel by pixel. Leave the last Flatten out"
        )
    if not any(isinstance(layer, LinearLayer) for layer in layers):
        raise UnsupportedOp("the network has no convolution or dense layer")
    return tuple(layers)


def _chain(graph: Graph) -> tuple[Node, ...]:
    for node in graph.nodes:
        readers = graph.consumers(node.name)
        if len(readers) > 1:
            raise UnsupportedOp(
                f"node {node.name!r} is read by {[r.name for r in readers]}: forks are not "
                "compiled yet; a chain is expected"
            )
    assert isinstance(graph.nodes[0].op, Input), graph.nodes[0]
    return graph.nodes


def _linear(nodes: tuple[Node, ...], x: IntType, flat: IntType | None) -> tuple[LinearLayer, int]:
    """The layer that begins at nodes[0], and how many nodes it takes."""
    first = nodes[0]
    op = first.op
    assert isinstance(op, Conv | Dense)
    values = op.weights.values
    pixels = 1
    conv = op if isinstance(op, Conv) else None
    if isinstance(op, Conv):
        matrix = values.transpose(0, 2, 3, 1).reshape(len(values), -1)
        pixels = first.type.shape[1] * first.type.shape[2]
    elif flat is not None and len(flat.shape) == 3:
        by_channel = values.reshape(len(values), *flat.shape)
        matrix = by_channel.transpose(0, 2, 3, 1).reshape(len(values), -1)
    else:
        matrix = values
    thresholds, bias, used = None, None, 1
    if used < len(nodes) and isinstance(follower := nodes[used].op, AddBias):
        bias = follower.bias
        used += 1
    if used < len(nodes) and isinstance(follower := nodes[used].op, Threshold):
        thresholds = follower
        used += 1
    if used < len(nodes) and thresholds is None:
        raise UnsupportedOp(
            f"node {first.name!r}: between two layers a quantiser is needed; found "
            f"{type(nodes[used].op).__name__} {nodes[used].name!r}"
        )
    acc = first.type
    if bias is not None and thresholds is not None:
        # A bias in front of thresholds only shifts them.
        moved = thresholds.thresholds - bias[:, None]
        thresholds = Threshold(
            thresholds.x, moved, thresholds.bits, thresholds.signed, thresholds.bipolar
        )
        bias = None
    layer = LinearLayer(
        name=first.name,
        matrix=np.ascontiguousarray(matrix),
        w_bits=op.weights.bits,
        w_bipolar=op.weights.bipolar,
        x=x,
        conv=conv,
        acc=nodes[1].type if bias is not None else acc,
        thresholds=thresholds,
        bias=bias,
        pixels=pixels,
    )
    return layer, used
