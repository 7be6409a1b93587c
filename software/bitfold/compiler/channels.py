"""Numbers of layers in which every channel stands by itself, and convolutions written out."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.layers import ChannelLayer, LinearLayer, Summing
from bitfold.ir import Ints, IntType
from bitfold.ir.graph import Op
from bitfold.ir.ops import Conv, Sum, SumPool, Threshold, Weights

MAX_BITS = 8  # of codes that are brought to the planes of others by thresholds


def spread(op: Conv) -> tuple[Conv, Ints]:
    """The same convolution without groups, zeros in their place; and its weights.

    A depthwise one keeps its groups: its weights stay (C, 1, KH, KW). A kernel of one row or column
    has no dilation there.
    """
    values = op.weights.values
    outputs, depth = values.shape[:2]
    down, across = (d if size > 1 else 1 for d, size in zip(op.dilation, op.kernel, strict=True))
    alone = depth == 1 and op.groups == outputs
    bits, bipolar = op.weights.bits, op.weights.bipolar
    if op.groups > 1 and not alone:
        dense = np.zeros((outputs, depth * op.groups, *op.kernel), values.dtype)
        for group, rows in enumerate(np.split(np.arange(outputs), op.groups)):
            dense[rows, group * depth : (group + 1) * depth] = values[rows]
        values = dense
        bits, bipolar = (2, False) if bipolar else (bits, False)
    weights = Weights(values, bits, bipolar)
    groups = op.groups if alone else 1
    return replace(op, weights=weights, dilation=(down, across), groups=groups), values


def channel_weights(op: Op) -> tuple[Conv | SumPool | None, Ints | None]:
    """What makes the positions, and the weights (positions, C) or (positions, 1), None for ones."""
    match op:
        case Conv():
            conv, values = spread(op)
            return conv, values[:, 0].transpose(1, 2, 0).reshape(-1, len(values))
        case SumPool():
            return op, None
        case Sum():
            factors = np.array(op.factors, np.int64)[:, None]
            return None, None if (factors == 1).all() else factors
        case _:
            return None, None


def unflipped(layer: Summing) -> Summing:
    """The layer without flipped channels: they sum the negative, which may need a bit more.

    The code of a flipped channel counts thresholds that x does not reach: x < t is -x >= 1 - t.
    """
    old = layer.thresholds
    if old is None or old.flip is None:
        return layer
    flips = old.flips
    signs = np.where(flips, -1, 1)
    mirrored = np.where(flips[:, None], 1 - old.thresholds[:, ::-1], old.thresholds)
    thresholds = replace(old, thresholds=mirrored, flip=None)
    if isinstance(layer, LinearLayer):
        matrix = layer.matrix * signs[:, None]
        bits = layer.w_bits
        if not layer.w_bipolar:
            bits = max(
                bits, IntType.holding(min(-1, int(matrix.min())), int(matrix.max()), ()).bits
            )
        acc = _sums(matrix.T, layer.x, layer.acc.shape)
        return replace(layer, matrix=matrix, w_bits=bits, thresholds=thresholds, acc=acc)
    plain = np.ones((layer.positions, 1), np.int64) if layer.weights is None else layer.weights
    weights = np.broadcast_to(plain, (layer.positions, len(flips))) * signs
    acc = _sums(weights, layer.x, layer.acc.shape)
    return replace(layer, weights=weights, thresholds=thresholds, acc=acc)


def _sums(weights: Ints, x: IntType, shape: tuple[int, ...]) -> IntType:
    """Type of weights (positions, C) times values of type x, summed over the positions."""
    ends = np.stack([weights * x.min, weights * x.max])
    low, high = ends.min(axis=0).sum(axis=0), ends.max(axis=0).sum(axis=0)
    return IntType.holding(int(low.min()), int(high.max()), shape)


def widened(name: str, kind: IntType, wide: IntType) -> ChannelLayer:
    """A layer that gives the integers of value `name` in the planes of `wide`.

    With a sign they are the planes of accumulators; without, thresholds that are the codes
    themselves.
    """
    layer_name = f"{name}_as_{'int' if wide.signed else 'uint'}{wide.bits}"
    out = IntType(shape=kind.shape, bits=wide.bits, signed=wide.signed)
    if wide.signed and wide.bits > MAX_BITS + 1:
        return ChannelLayer(
            name=layer_name,
            reads=(name,),
            weights=None,
            x=kind,
            window=None,
            whole=False,
            acc=out,
            thresholds=None,
            bias=None,
            out=out,
            raw=True,
        )
    steps = np.arange(wide.min + 1, wide.max + 1, dtype=np.int64)
    thresholds = Threshold(
        name, np.tile(steps, (kind.channels, 1)), bits=wide.bits, signed=wide.signed
    )
    return ChannelLayer(
        name=layer_name,
        reads=(name,),
        weights=None,
        x=kind,
        window=None,
        whole=False,
        acc=kind,
        thresholds=thresholds,
        bias=None,
        out=out,
    )
