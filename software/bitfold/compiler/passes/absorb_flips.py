"""Channels that decrease: the sign goes from the thresholds into the layer's weights."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.passes.rewire import typed
from bitfold.ir.graph import Graph, Op
from bitfold.ir.ops import Conv, Dense, Threshold, Weights
from bitfold.ir.ops.threshold import Flags


def absorb_flips(graph: Graph) -> Graph:
    """Negate the rows of a layer that every one of its readers, all thresholds, flips.

    Mirrored codes K - #{x >= t} are #{-x >= 1 - t}. Weights get a bit more where a row holds the
    least value, which has no twin. Other flips stay: of sums, of codes, of readers that differ.
    Requires: nothing. Preserves: run(graph), bit for bit.
    """
    ops: dict[str, Op] = {node.name: node.op for node in graph.nodes}
    for node in graph.nodes:
        readers = graph.consumers(node.name)
        thresholds = [r.op for r in readers if isinstance(r.op, Threshold)]
        whole = len(thresholds) == len(readers) > 0 and graph.output != node.name
        if not isinstance(node.op, Conv | Dense) or not whole:
            continue
        rows = np.logical_and.reduce([op.flips for op in thresholds])
        if rows.any():
            ops[node.name] = replace(node.op, weights=_negated(node.op.weights, rows))
            for reader, op in zip(readers, thresholds, strict=True):
                ops[reader.name] = _mirrored(op, rows)
    return replace(graph, nodes=typed(ops.items()))


def _negated(weights: Weights, rows: Flags) -> Weights:
    values = weights.values.copy()
    values[rows] *= -1
    bits = weights.bits
    if not weights.bipolar and values.max() > (1 << bits - 1) - 1:
        bits += 1
    return Weights(values, bits, weights.bipolar)


def _mirrored(op: Threshold, rows: Flags) -> Threshold:
    thresholds = np.where(rows[:, None], 1 - op.thresholds[:, ::-1], op.thresholds)
    flip = op.flips & ~rows
    return replace(op, thresholds=thresholds, flip=flip if flip.any() else None)
