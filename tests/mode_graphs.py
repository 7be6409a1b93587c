"""Modes of random integer graphs: fewer planes of the same weights, thresholds of their own."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bitfold.compiler.modes import Mode
from bitfold.compiler.passes.rewire import typed
from bitfold.ir import Graph, Op
from bitfold.ir.ops import AddBias, Conv, Dense, Input, Threshold, Weights

Planes = Mapping[str, int]


def lowered(graph: Graph, skips: Planes, seed: int, flips: bool = False) -> Graph:
    """The graph with `skips[node]` planes less in the weights, codes or input of each node named.

    Thresholds are those of every 2^skip-th code, moved a little, and divided as the sums are;
    biases are drawn anew.
    """
    rng = np.random.default_rng(seed)
    losses: dict[str, int] = {}  # node -> by how many bits its sums are smaller
    ops: dict[str, Op] = {}
    for node in graph.nodes:
        op, skip = node.op, skips.get(node.name, 0)
        loss = sum({losses[name] for name in op.inputs})
        if isinstance(op, Input):
            ops[node.name] = Input(replace(op.type, bits=op.type.bits - skip))
            loss = skip
        elif isinstance(op, Conv | Dense):
            weights = Weights(op.weights.values >> skip, op.weights.bits - skip, op.weights.bipolar)
            ops[node.name] = replace(op, weights=weights)
            loss += skip
        elif isinstance(op, Threshold):
            kept = op.thresholds[:, (1 << skip) - 1 :: 1 << skip]
            kept = np.sort((kept >> loss) + rng.integers(-1, 2, kept.shape), axis=1)
            flip = rng.random(len(kept)) < 0.4 if flips else op.flip
            ops[node.name] = replace(op, thresholds=kept, bits=op.bits - skip, flip=flip)
            loss = skip
        elif isinstance(op, AddBias):
            ops[node.name] = replace(op, bias=rng.integers(-50, 51, op.bias.shape))
        else:
            ops[node.name] = op
        losses[node.name] = loss
    nodes = typed(ops.items())
    scale = graph.input_map.scale * 2 ** skips.get(graph.input, 0)
    middle = (2 ** skips.get(graph.input, 0) - 1) * graph.input_map.scale / 2
    input_map = replace(graph.input_map, scale=scale, bias=graph.input_map.bias + middle)
    return replace(graph, nodes=nodes, input_map=input_map)


def modes_of(graph: Graph, skips: list[Planes], flips: bool = False) -> list[Mode]:
    """A mode for each."""
    return [
        Mode(name=str(i), graph=lowered(graph, each, seed=i, flips=flips and i % 2 == 1))
        for i, each in enumerate(skips)
    ]
