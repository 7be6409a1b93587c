"""A network with fewer planes in some layers, and nothing else changed: no training knew of it.

A weight becomes floor(w / 2^k), an activation floor(x / 2^j), so sums are smaller by 2^(k+j): the
next thresholds become ceil(t / 2^(k+j)), exactly what the sums times 2^(k+j) would reach. Where
sums leave the network, the scale of the output makes up for it.

An activation loses its planes where it is made, at its quantiser or at the input: that is where
hardware leaves them out. So all that read it, also behind pools, paddings and concatenations, read
as many planes of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np

from bitfold.compiler.passes.rewire import pruned, typed
from bitfold.errors import ConfigError, UnsupportedOp
from bitfold.ir import Graph, Node, Op
from bitfold.ir.ops import (
    AddBias,
    Concat,
    Conv,
    Dense,
    DepthToSpace,
    Flatten,
    Input,
    MaxPool,
    Threshold,
    Upsample,
    Weights,
    ZeroPad,
)

Planes = Mapping[str, tuple[int, int]]  # layer -> planes of its weights, of its activations
MOVES = (Concat, DepthToSpace, Flatten, MaxPool, Upsample, ZeroPad)  # give the codes they read


def truncated(graph: Graph, planes: Planes, name: str = "mode") -> Graph:
    """The graph with only so many planes in the layers named; the others keep all.

    name: of the mode, in messages. Raises: ConfigError for a layer that there is not, counts that
    are not built, and layers that read one value but not as many planes of it; UnsupportedOp where
    sums meet others without a quantiser.
    """
    layers = {n.name: n for n in graph.nodes if isinstance(n.op, Conv | Dense)}
    for layer, (w, a) in planes.items():
        if layer not in layers:
            raise ConfigError(f"{name}: no layer {layer!r}; there are: {', '.join(layers)}")
        op = layers[layer].op
        assert isinstance(op, Conv | Dense)
        most = op.weights.bits, graph.node(op.x).type.bits
        if not (1 <= w <= most[0] and 1 <= a <= most[1]):
            raise ConfigError(
                f"{name}: layer {layer!r} asks for {w} weight and {a} activation planes; there are "
                f"1 to {most[0]} and 1 to {most[1]}"
            )
    return _Cut(graph, planes, _lost(graph, planes, name), name).graph()


def _lost(graph: Graph, planes: Planes, name: str) -> dict[str, int]:
    """By how many planes each value is narrower, from what the layers ask of those they read."""
    lost: dict[str, int] = {}
    for node in graph.nodes:
        if node.name in planes:
            assert isinstance(node.op, Conv | Dense)
            asked = graph.node(node.op.x).type.bits - planes[node.name][1]
            _narrow(graph, node.op.x, asked, lost)
    for value, less in lost.items():
        _check(graph, graph.node(value), less, name)
        readers = graph.consumers(value)
        found = {n.name: _asks(graph, n, planes, lost) for n in readers}
        if set(found.values()) == {less} and value != graph.output:
            continue
        bits = graph.node(value).type.bits
        reads = [f"{n!r} {bits - count} planes of it" for n, count in found.items()]
        reads += ["the host all"] * (value == graph.output)
        raise ConfigError(
            f"{name}: a value has one number of planes, but of {value!r} reads "
            f"{', '.join(reads)}; give all layers behind it the same a_bits, or leave a_bits out "
            "where others read it as well"
        )
    return lost


def _check(graph: Graph, node: Node, count: int, name: str) -> None:
    """Raises: UnsupportedOp where nothing can make a value without its last `count` planes."""
    if not isinstance(node.op, (Input, Threshold, *MOVES)):
        raise UnsupportedOp(
            f"{name}: node {node.name!r} ({type(node.op).__name__}) gives sums, which keep all "
            f"{node.type.bits} planes; leave a_bits out where they are read"
        )
    for part in node.op.inputs if isinstance(node.op, Concat) else ():
        if (bits := graph.node(part).type.bits) <= count:
            raise UnsupportedOp(
                f"{name}: node {node.name!r} (Concat) has to leave out {count} planes, and its "
                f"operand {part!r} has {bits}; keep more where it is read"
            )


def _narrow(graph: Graph, value: str, count: int, lost: dict[str, int]) -> None:
    """Note `count` planes less of a value, and of all that it is made of."""
    if not count:
        return
    lost[value] = max(count, lost.get(value, 0))
    op = graph.node(value).op
    for source in op.inputs if isinstance(op, MOVES) else ():
        _narrow(graph, source, count, lost)


def _asks(graph: Graph, node: Node, planes: Planes, lost: Mapping[str, int]) -> int:
    """How many planes of what it reads a node leaves out."""
    if node.name in planes:
        assert isinstance(node.op, Conv | Dense)
        return graph.node(node.op.x).type.bits - planes[node.name][1]
    return lost.get(node.name, 0) if isinstance(node.op, MOVES) else 0


@final
class _Cut:
    """The walk over a graph's nodes."""

    def __init__(self, source: Graph, planes: Planes, lost: Mapping[str, int], name: str) -> None:
        self.source, self.planes, self.lost, self.name = source, planes, lost, name
        self.ops: dict[str, Op] = {}
        self.less: dict[str, int] = {}  # node -> its sums are smaller by 2 to this
        self.late: dict[str, tuple[str, np.ndarray]] = {}  # AddBias of such -> the sum, the bias

    def graph(self) -> Graph:
        """All nodes visited."""
        source = self.source
        for node in source.nodes:
            self._visit(node)
        output, map_ = source.output, source.output_map
        if output in self.late:
            output, bias = self.late[output]
            map_ = replace(map_, bias=map_.bias + map_.scale * bias)
        map_ = replace(map_, scale=map_.scale * 2.0 ** self.less.get(output, 0))
        nodes = typed(self.ops.items())
        cut = replace(self._input(source), nodes=nodes, output=output, output_map=map_)
        return pruned(cut)

    def _visit(self, node: Node) -> None:
        op, count = node.op, self.lost.get(node.name, 0)
        match op:
            case Input():
                self.ops[node.name] = Input(replace(op.type, bits=op.type.bits - count))
            case Conv() | Dense() if node.name in self.planes and not self._smaller(op):
                w, a = self.planes[node.name]
                skip = op.weights.bits - w, self.source.node(op.x).type.bits - a
                weights = op.weights
                if skip[0]:
                    weights = Weights(weights.values >> skip[0], w)
                if sum(skip):
                    self.less[node.name] = sum(skip)
                self.ops[node.name] = replace(op, weights=weights)
            case Threshold():
                self.ops[node.name] = self._codes(op, count)
            case AddBias() if op.x in self.less:
                self.late[node.name] = op.x, op.bias
            case Flatten() if op.x in self.late:
                sums, bias = self.late[op.x]
                self.ops[node.name] = Flatten(sums)
                self.less[node.name] = self.less[sums]
                pixels = node.type.channels // len(bias)
                self.late[node.name] = node.name, np.repeat(bias, pixels)
            case Flatten() | MaxPool() | Upsample() | DepthToSpace() if op.x in self.less:
                self.less[node.name] = self.less[op.x]
                self.ops[node.name] = self._moved(op, self.less[op.x])
            case _:
                if bad := self._smaller(op):
                    raise UnsupportedOp(
                        f"{self.name}: node {node.name!r} ({type(op).__name__}) reads the sums of "
                        f"{bad[0]!r}, which have fewer planes; a quantiser must stand between"
                    )
                self.ops[node.name] = self._moved(op, count)

    def _codes(self, op: Threshold, lost: int) -> Threshold:
        """For sums that may be smaller, with codes of `lost` bits less: every 2^lost-th step."""
        name, bias = self.late.get(op.x, (op.x, np.zeros(1, np.int64)))
        steps = -(-(op.thresholds - bias[:, None]) >> self.less.get(name, 0))
        kept = steps[:, (1 << lost) - 1 :: 1 << lost]
        return replace(op, x=name, thresholds=kept, bits=op.bits - lost)

    def _smaller(self, op: Op) -> list[str]:
        """What an operation reads of sums that have become smaller."""
        return [x for x in op.inputs if x in self.less or x in self.late]

    def _moved(self, op: Op, count: int) -> Op:
        """The same of integers that are smaller by 2^count."""
        return replace(op, fill=op.fill >> count) if isinstance(op, MaxPool) else op

    def _input(self, graph: Graph) -> Graph:
        """The input's map for the integers that are left: floor(code / 2^k) of what was there."""
        lost = self.lost.get(graph.input, 0)
        if not lost:
            return graph
        kind = self.ops[graph.input]
        assert isinstance(kind, Input)
        step = np.asarray(graph.input_map.scale)
        middle = step * (2**lost - 1) / 2
        scaled = replace(
            graph.input_map, scale=step * 2.0**lost, bias=graph.input_map.bias + middle
        )
        low, high = graph.input_range or (graph.input_type.min, graph.input_type.max)
        narrowed = low >> lost, high >> lost
        whole = (kind.type.min, kind.type.max)
        return replace(graph, input_map=scaled, input_range=None if narrowed == whole else narrowed)
