"""A network with fewer planes in some layers, and nothing else changed: no training knew of it.

A weight becomes floor(w / 2^k), an activation floor(x / 2^j), so sums are smaller by 2^(k+j): the
next thresholds become ceil(t / 2^(k+j)), exactly what the sums times 2^(k+j) would reach. Where
sums leave the network, the scale of the output makes up for it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np

from bitfold.compiler.passes.merge_thresholds import merge_thresholds
from bitfold.compiler.passes.rewire import pruned, typed
from bitfold.errors import ConfigError, UnsupportedOp
from bitfold.ir import Graph, IntType, Node, Op
from bitfold.ir.ops import AddBias, Conv, Dense, Input, Threshold, Weights

Planes = Mapping[str, tuple[int, int]]  # layer -> planes of its weights, of its activations


def truncated(graph: Graph, planes: Planes) -> Graph:
    """The graph with only so many planes in the layers named; the others keep all.

    Layers that read one value must agree on its planes, or the result is no network that hardware
    of the stored one can compute: `serve` says so. Raises: ConfigError for a layer that there is
    not or counts that are not built, UnsupportedOp where sums meet others without a quantiser.
    """
    layers = {n.name: n for n in graph.nodes if isinstance(n.op, Conv | Dense)}
    for name, (w, a) in planes.items():
        if name not in layers:
            raise ConfigError(f"mode: no layer {name!r}; there are: {', '.join(layers)}")
        op = layers[name].op
        assert isinstance(op, Conv | Dense)
        most = op.weights.bits, graph.node(op.x).type.bits
        if not (1 <= w <= most[0] and 1 <= a <= most[1]):
            raise ConfigError(
                f"mode: layer {name!r} asks for {w} weight and {a} activation planes; there are "
                f"1 to {most[0]} and 1 to {most[1]}"
            )
    first = [n.name for n in graph.consumers(graph.input)]
    kept = {planes[name][1] if name in planes else None for name in first}
    if len(kept) > 1:
        raise ConfigError(
            f"mode: {', '.join(map(repr, first))} read the input, which has one number of planes; "
            "name them all, with the same a_bits"
        )
    return merge_thresholds(_Cut(graph, planes).graph())


@final
class _Cut:
    """The walk over a graph's nodes."""

    def __init__(self, source: Graph, planes: Planes) -> None:
        self.source, self.planes = source, planes
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
        op = node.op
        match op:
            case Conv() | Dense() if node.name in self.planes and not self._smaller(op):
                w, a = self.planes[node.name]
                x = self.source.node(op.x).type
                skip = op.weights.bits - w, x.bits - a
                weights = op.weights
                if skip[0]:
                    weights = Weights(weights.values >> skip[0], w)
                if sum(skip):
                    self.less[node.name] = sum(skip)
                name = self._leading(op.x, a) if skip[1] else op.x
                self.ops[node.name] = replace(op, x=name, weights=weights)
            case Threshold() if op.x in self.less or op.x in self.late:
                name, bias = self.late.get(op.x, (op.x, np.zeros(1, np.int64)))
                moved = -(-(op.thresholds - bias[:, None]) >> self.less[name])
                self.ops[node.name] = replace(op, x=name, thresholds=moved)
            case AddBias() if op.x in self.less:
                self.late[node.name] = op.x, op.bias
            case _:
                if bad := self._smaller(op):
                    raise UnsupportedOp(
                        f"mode: node {node.name!r} ({type(op).__name__}) reads the sums of "
                        f"{bad[0]!r}, which have fewer planes; a quantiser must stand between"
                    )
                self.ops[node.name] = op

    def _smaller(self, op: Op) -> list[str]:
        """What an operation reads of sums that have become smaller."""
        return [x for x in op.inputs if x in self.less or x in self.late]

    def _leading(self, name: str, planes: int) -> str:
        """A value with only its leading planes: a quantiser, one with that before it in the end.

        Of an input it is the input that gets narrower (`_input`).
        """
        kind = self.source.node(name).type
        new = f"{name}_planes_{planes}"
        if name == self.source.input:
            self.ops[name] = Input(replace(kind, bits=planes))
            return name
        if new not in self.ops:
            table = np.tile(_steps(kind, planes), (kind.channels, 1))
            self.ops[new] = Threshold(name, table, planes, kind.signed)
        return new

    def _input(self, graph: Graph) -> Graph:
        """The input's map for the integers that are left: floor(code / 2^k) of what was there."""
        op = self.ops[graph.input]
        assert isinstance(op, Input)
        lost = graph.input_type.bits - op.type.bits
        if not lost:
            return graph
        step = np.asarray(graph.input_map.scale)
        middle = step * (2**lost - 1) / 2
        scaled = replace(
            graph.input_map, scale=step * 2.0**lost, bias=graph.input_map.bias + middle
        )
        low, high = graph.input_range or (graph.input_type.min, graph.input_type.max)
        narrowed = low >> lost, high >> lost
        whole = (op.type.min, op.type.max)
        return replace(graph, input_map=scaled, input_range=None if narrowed == whole else narrowed)


def _steps(kind: IntType, planes: int) -> np.ndarray:
    """Thresholds (2**planes - 1,) whose codes are floor(x / 2^k)."""
    lost = kind.bits - planes
    least = kind.min >> lost
    return (np.arange(1, 1 << planes) + least) << lost
