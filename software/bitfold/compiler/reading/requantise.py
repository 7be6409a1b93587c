"""A quantiser on accumulators becomes integer thresholds."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.reading.builder import Builder, emit_pools
from bitfold.compiler.reading.quantiser import Quantiser
from bitfold.compiler.reading.stream import Floats, Function, Stream, evaluator, per_channel
from bitfold.compiler.thresholds import Codes, bisect, directions, first_violation
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Conv, Dense, Threshold, Weights
from bitfold.ir.types import Ints, IntType


def requantise(
    quantiser: Quantiser, x: Stream, builder: Builder, opset: int, source: str
) -> Stream:
    """Thresholds for `quantiser` behind the steps of `x`; rows that decrease change sign.

    Raises: UnsupportedOp naming the channel when the steps are not monotone.
    """
    assert x.type is not None
    scale = per_channel(x, quantiser.scale, f"node {quantiser.name!r}")
    linear = isinstance(builder.op(x.node), Conv | Dense)
    if not linear and _same_grid(quantiser, scale, x):
        return replace(x, source=source)
    builder.read(x.node, quantiser.name)
    function = evaluator(x, opset)

    def raw_codes(integers: Ints) -> Ints:
        codes = quantiser.codes(function(integers), scale)
        if np.isnan(codes).any():
            row, channel = np.argwhere(np.isnan(codes))[0]
            raise ModelError(
                f"node {quantiser.name!r}: gets NaN in channel {channel} from accumulator "
                f"{integers[row, channel]} of {x.node!r} (between them: {x.step_names})"
            )
        return codes.astype(np.int64)

    kind, sign = x.type, np.ones(x.channels, np.int64)
    if linear:
        sign = _signs(x, raw_codes, opset)
        if (sign < 0).any():
            kind = _negate_rows(builder, x.node, sign)
    bits = quantiser.bits
    out = IntType(shape=x.shape, bits=bits, signed=quantiser.signed, bipolar=quantiser.bipolar)
    values = np.array([-1, 1]) if out.bipolar else np.arange(out.min, out.max + 1)
    low, high = kind.min, kind.max

    def codes(integers: Ints) -> Ints:
        return raw_codes(integers * sign)

    thresholds = bisect(codes, low, high, values[1:], x.channels)
    bad = first_violation(codes, low, high, thresholds, values)
    if bad is not None:
        raise UnsupportedOp(
            f"node {quantiser.name!r}: what stands between it and {x.node!r} ({x.step_names}) is "
            f"not monotone in channel {bad[0]}, near accumulator {bad[1] * sign[bad[0]]}; only "
            f"{'monotone' if linear else 'increasing'} functions are compiled. Use another "
            "activation, or quantise before it"
        )
    _refuse_constant_sign(quantiser, x)
    _check_pools(quantiser, x, sign, kind, opset)
    name = emit_pools(builder, x)
    op = Threshold(name, thresholds, bits, signed=out.signed, bipolar=out.bipolar)
    name = builder.add(quantiser.name, op)
    return Stream(name, builder.types[name], x.shape, scale.astype(np.float64), x.view, source)


def _same_grid(quantiser: Quantiser, scale: Floats, x: Stream) -> bool:
    """Whether `x` already holds integers that the quantiser maps to themselves."""
    assert x.type is not None
    return (
        not x.steps
        and not quantiser.bipolar
        and not x.type.bipolar
        and quantiser.low <= x.type.min
        and x.type.max <= quantiser.high
        and bool((scale == x.scale).all())
    )


def _signs(x: Stream, codes: Codes, opset: int) -> Ints:
    """-1 for the channels that decrease; with a pool, as the pool sees them."""
    assert x.type is not None
    if not x.pools:
        return directions(codes, x.type.min, x.type.max, x.channels)
    before = evaluator(x, opset, x.pools[0].tensor)
    ends = before(np.broadcast_to([[x.type.min], [x.type.max]], (2, x.channels)))
    return np.where(ends[1] < ends[0], -1, 1).astype(np.int64)


def _negate_rows(builder: Builder, name: str, sign: Ints) -> IntType:
    """Multiply the weights of some outputs by -1; widen them where the least value has no twin."""
    op = builder.op(name)
    assert isinstance(op, Conv | Dense)
    weights = op.weights
    values = weights.values * sign.reshape(-1, *([1] * (weights.values.ndim - 1)))
    bits = weights.bits
    if not weights.bipolar and values.max() > (1 << bits - 1) - 1:
        bits += 1
    return builder.replace(name, replace(op, weights=Weights(values, bits, weights.bipolar)))


def _refuse_constant_sign(quantiser: Quantiser, x: Stream) -> None:
    """A 1-bit QuantReLU is exported as Relu, BipolarQuant: always +1, not what was trained."""
    if quantiser.bipolar and x.steps and x.steps[-1].node.op_type == "Relu":
        raise UnsupportedOp(
            f"node {quantiser.name!r} (BipolarQuant): stands behind a Relu and so is +1 for every "
            "input; exporters write a 1-bit QuantReLU so. Use 2 bits, or a bipolar activation"
        )


def _check_pools(quantiser: Quantiser, x: Stream, sign: Ints, kind: IntType, opset: int) -> None:
    """max(f(a), f(b)) = f(max(a, b)) needs each f in front of a pool to increase."""
    low, high = kind.min, kind.max
    for pool in x.pools:
        before = evaluator(x, opset, pool.tensor)

        def steps(integers: Ints, before: Function = before) -> Ints:
            rises = before(integers * sign) >= before((integers - 1).clip(low) * sign)
            return rises.astype(np.int64)

        always = np.full((x.channels, 1), low, np.int64)
        bad = first_violation(steps, low, high, always, np.array([0, 1]))
        if bad is not None:
            raise UnsupportedOp(
                f"node {pool.name!r} (MaxPool): what stands between it and {x.node!r} is not "
                f"monotone in channel {bad[0]}; put quantiser {quantiser.name!r} before the pool"
            )
