"""Integer graph to layers as the hardware sees them: order of inputs, neighbours, fixed numbers.

The stream order is pixel, then channel; ONNX's is channel, then pixel. A convolution's columns
become (kernel row, kernel column, channel), a dense layer's columns behind a map (row, column,
channel). That is a permutation of weights at compile time and nothing in hardware.
"""

from dataclasses import replace
from math import prod
from typing import TypeVar, final

import numpy as np

from bitfold.compiler.channels import channel_weights, spread, unflipped, widened
from bitfold.compiler.division import divided
from bitfold.compiler.layers import (
    ChannelLayer,
    ConcatLayer,
    Layer,
    LinearLayer,
    MoveLayer,
    PoolLayer,
    acc_width,
)
from bitfold.compiler.passes.rewire import pruned
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, Ints, IntType, Node
from bitfold.ir.ops import (
    AddBias,
    Concat,
    Conv,
    Dense,
    DepthToSpace,
    Flatten,
    Input,
    MaxPool,
    Sum,
    SumPool,
    Threshold,
    Upsample,
    ZeroPad,
)
from bitfold.ir.ops.window import Pads, extent

Windowed = TypeVar("Windowed", Conv, SumPool)


def lower(graph: Graph, *, flips: bool = False) -> tuple[Layer, ...]:
    """Layers in order; the last one gives the output.

    flips: leave channels that decrease to the thresholds, which know how only with modes.
    Raises: UnsupportedOp.
    """
    assert isinstance(graph.nodes[0].op, Input), graph.nodes[0]
    layers = _Lowering(graph, flips).layers()
    if not any(isinstance(layer, LinearLayer | ChannelLayer) for layer in layers):
        raise UnsupportedOp("the network has no convolution or dense layer")
    return layers if flips else tuple(divided(layer) for layer in layers)


@final
class _Lowering:
    """The walk over a graph's nodes; lives for one lowering."""

    def __init__(self, graph: Graph, flips: bool) -> None:
        self.flips = flips
        self.graph = pruned(graph)
        self.found: list[Layer] = []
        self.names: dict[str, str] = {graph.input: "input"}  # node -> the value that holds it
        self.types: dict[str, IntType] = {"input": graph.input_type}  # of values
        self.flat: dict[str, IntType] = {}  # Flatten node -> the map that it renames
        self.used: set[str] = set()  # nodes that are part of a layer already

    def layers(self) -> tuple[Layer, ...]:
        """One or more of every node that is not part of its neighbour's."""
        for node in self.graph.nodes[1:]:
            if node.name not in self.used:
                self._visit(node)
        output = self.graph.output
        if output in self.flat and prod(self.flat[output].shape[1:]) > 1:
            raise UnsupportedOp(
                f"node {output!r} (Flatten): ends the network behind a map; integers "
                "leave it pixel by pixel. Leave the last Flatten out"
            )
        return tuple(self.found)

    def _visit(self, node: Node) -> None:
        op = node.op
        reads = tuple(self.names[name] for name in op.inputs)
        match op:
            case Flatten():
                self.names[node.name] = reads[0]
                self.flat[node.name] = self.flat.get(op.x, self.types[reads[0]])
            case MaxPool():
                x = self.types[reads[0]]
                layer = PoolLayer(name=node.name, reads=reads, pool=op, x=x, out=node.type)
                self._add(node, layer)
            case Concat():
                self._concat(node, reads)
            case ZeroPad():
                self._padded(node, op, reads[0])
            case Upsample() | DepthToSpace():
                self._add(node, self._moved(node.name, op, reads[0], node.type))
            case Conv() | Dense():
                if _depthwise(op):
                    self._channels(node, reads)
                else:
                    self._linear(node, op, reads[0])
            case Sum() | SumPool() | Threshold():
                self._channels(node, reads)
            case _:
                raise UnsupportedOp(
                    f"node {node.name!r} ({type(op).__name__}) has no hardware at this place; "
                    "a quantiser is expected behind each sum, and nothing but layers between"
                )

    def _add(self, node: Node, layer: Layer) -> None:
        """`layer` gives the value of `node`."""
        self.found.append(layer)
        self.names[node.name] = layer.name
        self.types[layer.name] = layer.out

    def _linear(self, node: Node, op: Conv | Dense, reads: str) -> None:
        if isinstance(op, Conv):
            op, reads = self._fitted(node.name, op, reads)
        x, values = self.types[reads], op.weights.values
        bits, bipolar = op.weights.bits, op.weights.bipolar
        pixels, conv, groups = prod(node.type.shape[1:]), None, 1
        flat = self.flat.get(op.x)
        if isinstance(op, Conv):
            groups = op.groups
            conv, values = spread(op)
            if bipolar and (values == 0).any():
                bits, bipolar = 2, False
            matrix = values.transpose(0, 2, 3, 1).reshape(len(values), -1)
        elif flat is not None and len(flat.shape) == 3:
            by_channel = values.reshape(len(values), *flat.shape)
            matrix = by_channel.transpose(0, 2, 3, 1).reshape(len(values), -1)
        else:
            matrix = values
        thresholds, bias, acc, end, raw = self._ending(node, node.type)
        layer = LinearLayer(
            name=node.name,
            reads=(reads,),
            matrix=np.ascontiguousarray(matrix),
            w_bits=bits,
            w_bipolar=bipolar,
            x=x,
            conv=conv,
            acc=acc,
            thresholds=thresholds,
            bias=bias,
            pixels=pixels,
            out=_planes(acc) if raw else end.type,
            raw=raw,
            groups=groups,
        )
        self._add(end, layer if self.flips else unflipped(layer))

    def _channels(self, node: Node, reads: tuple[str, ...]) -> None:
        """Depthwise convolution, Sum, SumPool, or thresholds on codes."""
        op = node.op
        match op:
            case Conv():
                op, name = self._fitted(node.name, op, reads[0])
                reads = (name,)
            case SumPool():
                op, name = self._fitted(node.name, op, reads[0])
                reads = (name,)
        kinds = [self.types[name] for name in reads]
        if any(kind.bipolar for kind in kinds) and not isinstance(op, Conv):
            raise UnsupportedOp(
                f"node {node.name!r} ({type(op).__name__}): bipolar operands are not compiled "
                "here; quantise them to two bits"
            )
        wide = _holding(kinds)
        reads = tuple(
            self._widened(name, kind, wide) for name, kind in zip(reads, kinds, strict=True)
        )
        thresholds: Threshold | None
        if isinstance(op, Threshold):
            thresholds, bias, acc, end, raw = op, None, wide, node, False
        else:
            thresholds, bias, acc, end, raw = self._ending(node, node.type)
        window, weights = channel_weights(op)
        whole = False
        if isinstance(op, SumPool) and op.kernel == wide.shape[1:] and not any(op.pads):
            window, whole = None, True
        layer = ChannelLayer(
            name=node.name,
            reads=reads,
            weights=weights,
            x=wide,
            window=window,
            whole=whole,
            acc=acc,
            thresholds=thresholds,
            bias=bias,
            out=_planes(acc) if raw else end.type,
            raw=raw,
            w_planes=op.weights.bits if self.flips and isinstance(op, Conv) else 0,
        )
        self._add(end, layer if self.flips else unflipped(layer))

    def _fitted(self, name: str, op: Windowed, reads: str) -> tuple[Windowed, str]:
        """A window's pads must be smaller than its kernel; what is more is put around before."""
        dilation = op.dilation if isinstance(op, Conv) else (1, 1)
        height, width = extent(op.kernel, dilation)
        top, left, bottom, right = op.pads
        own = (
            min(top, height - 1),
            min(left, width - 1),
            min(bottom, height - 1),
            min(right, width - 1),
        )
        if own == op.pads:
            return op, reads
        more = (top - own[0], left - own[1], bottom - own[2], right - own[3])
        return replace(op, pads=own), self._around(name, reads, more)

    def _around(self, name: str, reads: str, pads: Pads) -> str:
        """A layer of zeros around a map, in front of the layer `name`."""
        op = ZeroPad(reads, pads=pads)
        layer = self._moved(f"{name}_around", op, reads, op.infer(self.types[reads]))
        self.found.append(layer)
        self.types[layer.name] = layer.out
        return layer.name

    def _moved(
        self, name: str, op: Upsample | DepthToSpace | ZeroPad, reads: str, out: IntType
    ) -> MoveLayer:
        return MoveLayer(name=name, reads=(reads,), op=op, x=self.types[reads], out=out)

    def _padded(self, node: Node, op: ZeroPad, reads: str) -> None:
        """Zeros around the map, then channels of zeros."""
        if not any(op.channels):
            self._add(node, self._moved(node.name, op, reads, node.type))
            return
        if any(op.pads):
            reads = self._around(node.name, reads, op.pads)
        self._zero_channels(node, op, reads)

    def _zero_channels(self, node: Node, op: ZeroPad, reads: str) -> None:
        x = self.types[reads]
        zeros = [(replace(x, shape=(n, *x.shape[1:])), "") for n in op.channels]
        parts = [part for part in (zeros[0], (x, reads), zeros[1]) if part[0].channels]
        layer = ConcatLayer(
            name=node.name,
            reads=tuple(name for _, name in parts),
            parts=tuple(kind for kind, _ in parts),
            out=node.type,
        )
        self._add(node, layer)

    def _concat(self, node: Node, reads: tuple[str, ...]) -> None:
        kinds = [self.types[name] for name in reads]
        if any(kind.bipolar for kind in kinds):
            parts, out = kinds, node.type
        else:  # accumulators may have more planes here than in the graph: those of a sign
            wide = _holding(kinds)
            parts = [replace(wide, shape=kind.shape) for kind in kinds]
            out = replace(wide, shape=node.type.shape)
        reads = tuple(
            self._widened(name, kind, part)
            for name, kind, part in zip(reads, kinds, parts, strict=True)
        )
        layer = ConcatLayer(name=node.name, reads=reads, parts=tuple(parts), out=out)
        self._add(node, layer)

    def _widened(self, name: str, kind: IntType, wide: IntType) -> str:
        """The value itself, or a layer that gives it with the planes of `wide`."""
        if (kind.bits, kind.signed) == (wide.bits, wide.signed):
            return name
        layer = widened(name, kind, wide)
        if layer.name not in self.types:
            self.found.append(layer)
            self.types[layer.name] = layer.out
        return layer.name

    def _ending(
        self, node: Node, acc: IntType
    ) -> tuple[Threshold | None, Ints | None, IntType, Node, bool]:
        """What follows a sum: thresholds, bias, type of the accumulators, the last node it takes,
        and whether the accumulators leave for several readers."""
        bias, end = None, node
        follower = self._follower(end)
        if follower is not None and isinstance(follower.op, AddBias):
            bias, end = follower.op.bias, follower
            follower = self._follower(end)
        if follower is not None and isinstance(follower.op, Threshold):
            thresholds = follower.op
            if bias is not None:  # a bias in front of thresholds only shifts them
                moved = thresholds.thresholds - bias[:, None]
                thresholds = replace(thresholds, thresholds=moved)
            return thresholds, None, acc, follower, False
        if end.name == self.graph.output or self._renamed_output(end):
            return None, bias, acc if bias is None else end.type, end, False
        if bias is not None:
            raise UnsupportedOp(
                f"node {end.name!r} (AddBias): has no hardware in front of several readers; put "
                "the bias into each of their quantisers"
            )
        return None, None, acc, end, True

    def _follower(self, node: Node) -> Node | None:
        """The only reader, which is taken into the layer if it is a bias or thresholds."""
        readers = self.graph.consumers(node.name)
        if len(readers) != 1 or not isinstance(readers[0].op, AddBias | Threshold):
            return None
        self.used.add(readers[0].name)
        return readers[0]

    def _renamed_output(self, node: Node) -> bool:
        """Whether nothing but a Flatten stands between the node and the output."""
        readers = self.graph.consumers(node.name)
        return [r.name for r in readers] == [self.graph.output] and isinstance(
            readers[0].op, Flatten
        )


def _holding(kinds: list[IntType]) -> IntType:
    """The type that holds the values of all, with the shape of the first."""
    return IntType.holding(min(k.min for k in kinds), max(k.max for k in kinds), kinds[0].shape)


def _planes(acc: IntType) -> IntType:
    """Accumulators as codes: all their bits."""
    return IntType(shape=acc.shape, bits=acc_width(acc), signed=True)


def _depthwise(op: Conv | Dense) -> bool:
    """As many groups as channels in and out."""
    return isinstance(op, Conv) and op.groups > 1 and op.weights.values.shape[:2] == (op.groups, 1)
