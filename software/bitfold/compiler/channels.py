"""Numbers of layers in which every channel stands by itself, and convolutions written out."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.layers import ChannelLayer
from bitfold.ir import Ints, IntType
from bitfold.ir.graph import Op
from bitfold.ir.ops import Conv, Sum, SumPool, Threshold, Weights


def spread(op: Conv) -> tuple[Conv, Ints]:
    """The same convolution without dilation and groups, zeros in their place; and its weights.

    A depthwise one keeps its groups: its weights stay (C, 1, KH, KW).
    """
    values, (down, across) = op.weights.values, op.dilation
    outputs, depth, height, width = values.shape
    tall = np.zeros(
        (outputs, depth, (height - 1) * down + 1, (width - 1) * across + 1), values.dtype
    )
    tall[:, :, ::down, ::across] = values
    if op.groups > 1 and not (depth == 1 and op.groups == outputs):
        dense = np.zeros((outputs, depth * op.groups, *tall.shape[2:]), values.dtype)
        for group, rows in enumerate(np.split(np.arange(outputs), op.groups)):
            dense[rows, group * depth : (group + 1) * depth] = tall[rows]
        tall = dense
    groups = op.groups if depth == 1 and op.groups == outputs else 1
    bits = op.weights.bits + int(op.weights.bipolar)
    weights = Weights(tall, max(bits, 2) if op.weights.bipolar else bits)
    return replace(op, weights=weights, dilation=(1, 1), groups=groups), tall


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


def unflipped(
    weights: Ints | None, thresholds: Threshold, positions: int
) -> tuple[Ints, Threshold]:
    """Weights and thresholds without flipped channels: those sum the negative.

    The code of a flipped channel counts thresholds that x does not reach: x < t is -x >= 1 - t.
    """
    flips, channels = thresholds.flips, len(thresholds.thresholds)
    plain = np.ones((positions, 1), np.int64) if weights is None else weights
    signs = np.where(flips, -1, 1)
    mirrored = np.where(flips[:, None], 1 - thresholds.thresholds[:, ::-1], thresholds.thresholds)
    turned = replace(thresholds, thresholds=mirrored, flip=None)
    return np.broadcast_to(plain, (positions, channels)) * signs, turned


def widened(name: str, kind: IntType, wide: IntType) -> ChannelLayer:
    """A layer that gives the codes of value `name` in the planes of `wide`: thresholds that are
    the codes themselves."""
    steps = np.arange(wide.min + 1, wide.max + 1, dtype=np.int64)
    thresholds = Threshold(
        name, np.tile(steps, (kind.channels, 1)), bits=wide.bits, signed=wide.signed
    )
    return ChannelLayer(
        name=f"{name}_as_{'int' if wide.signed else 'uint'}{wide.bits}",
        reads=(name,),
        weights=None,
        w_bits=1,
        x=kind,
        window=None,
        whole=False,
        acc=kind,
        thresholds=thresholds,
        bias=None,
        out=IntType(shape=kind.shape, bits=wide.bits, signed=wide.signed),
    )
