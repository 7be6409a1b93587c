"""A quantiser on integers becomes integer thresholds."""

from dataclasses import replace

import numpy as np

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.monotone import monotone
from bitfold.compiler.reading.quantiser import Quantiser
from bitfold.compiler.reading.stream import Floats, Function, Move, Stream, evaluator
from bitfold.compiler.thresholds import bisect, directions, first_violation
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Threshold
from bitfold.ir.ops.threshold import Flags
from bitfold.ir.types import Ints, IntType

MOST_TRIED = 1 << 26  # integers of all channels together: seconds


def requantise(
    quantiser: Quantiser, scale: Floats, x: Stream, builder: Builder, source: str
) -> Stream:
    """Thresholds for `quantiser`, with `scale` () or (C,), behind the steps of `x`.

    The thresholds stand in front of the moves of `x`. Channels that decrease are flipped.
    Raises: UnsupportedOp naming the channel when the steps are not monotone.
    """
    assert x.type is not None
    if builder.holds_codes(x.node) and _same_grid(quantiser, scale, x):
        return replace(x, source=source, origin=None)
    function = evaluator(x, builder.opset)

    def wanted(integers: Ints) -> Ints:
        codes = quantiser.codes(function(integers), scale)
        if np.isnan(codes).any():
            row, channel = np.argwhere(np.isnan(codes))[0]
            raise ModelError(
                f"node {quantiser.name!r}: gets NaN in channel {channel} from accumulator "
                f"{integers[row, channel]} of {x.node!r} (between them: {x.step_names})"
            )
        return codes.astype(np.int64)

    low, high, channels = x.type.min, x.type.max, x.channels
    bits = quantiser.bits
    out = IntType(shape=x.type.shape, bits=bits, signed=quantiser.signed, bipolar=quantiser.bipolar)
    values = np.array([-1, 1]) if out.bipolar else np.arange(out.min, out.max + 1)
    falls = directions(wanted, low, high, channels) < 0

    def rising(integers: Ints) -> Ints:
        codes = wanted(integers)
        return np.asarray(np.where(falls, out.min + out.max - codes, codes))

    thresholds = bisect(rising, low, high, values[1:], channels)
    every = _must_try_all(quantiser, x)
    bad = first_violation(rising, low, high, thresholds, values, every=every)
    if bad is not None:
        raise UnsupportedOp(
            f"node {quantiser.name!r}: what stands between it and {x.node!r} ({x.step_names}) is "
            f"not monotone in channel {bad[0]}, near accumulator {bad[1]}; only monotone functions "
            "are compiled. Use another activation, or quantise before it"
        )
    _refuse_constant_sign(quantiser, x)
    varies = (thresholds > low).any(1) & (thresholds <= high).any(1)
    turned = (
        varies & (falls ^ _falls_before_pools(quantiser, x, builder.opset))
        if x.pools
        else falls & False
    )
    first = Threshold(x.node, thresholds, bits, out.signed, out.bipolar, _some(falls ^ turned))
    name = builder.add(quantiser.name, first)
    behind = x.moves.index(x.pools[-1]) + 1 if x.pools else 0
    name = builder.moved(name, x.moves[:behind])
    if turned.any():
        if builder.types[name].channels != channels:
            raise UnsupportedOp(
                f"node {quantiser.name!r}: decreases behind {x.pools[-1].name!r} (MaxPool), in "
                "front of which DepthToSpace mixes channels; put a quantiser before the pool"
            )
        # max(f(a), f(b)) is f(min(a, b)) there: the pool took mirrored codes, now turned back.
        steps = np.repeat(values[None, 1:], channels, axis=0)
        last = Threshold(name, steps, bits, out.signed, out.bipolar, turned)
        name = builder.add(f"{quantiser.name}_mirror", last)
    name = builder.moved(name, x.moves[behind:])
    kind = builder.types[name]
    return Stream(name, kind, x.shape, scale.astype(np.float64), x.view, source)


def _must_try_all(quantiser: Quantiser, x: Stream) -> bool:
    """Whether only trying every integer proves that the steps are monotone.

    Raises: UnsupportedOp where there are too many.
    """
    assert x.type is not None
    if monotone(x):
        return False
    if (x.type.max - x.type.min) * x.channels > MOST_TRIED:
        raise UnsupportedOp(
            f"node {quantiser.name!r}: whether what stands between it and {x.node!r} "
            f"({x.step_names}) is monotone cannot be seen from its nodes, and {x.channels} "
            f"channels of {x.type.bits}-bit sums are too many to try; quantise in front of it, or "
            "use fewer bits"
        )
    return True


def _some(flags: Flags) -> Flags | None:
    return flags if flags.any() else None


def _same_grid(quantiser: Quantiser, scale: Floats, x: Stream) -> bool:
    """Whether `x` already holds integers that the quantiser maps to themselves."""
    assert x.type is not None
    return (
        quantiser.truncation is None
        and not x.steps
        and not quantiser.bipolar
        and not x.type.bipolar
        and quantiser.low <= x.type.min
        and x.type.max <= quantiser.high
        and bool((scale == x.scale).all())
        and _keeps(quantiser, scale, x)
    )


def _keeps(quantiser: Quantiser, scale: Floats, x: Stream) -> bool:
    """Whether every integer comes back: FLOOR and CEIL lose some to float32's quotients."""
    assert x.type is not None
    codes = np.arange(x.type.min, x.type.max + 1)[:, None].repeat(x.channels, axis=1)
    reals = (codes * x.scale).astype(np.float32)
    return bool((quantiser.codes(reals, scale) == codes).all())


def _refuse_constant_sign(quantiser: Quantiser, x: Stream) -> None:
    """A 1-bit QuantReLU is exported as Relu, BipolarQuant: always +1, not what was trained."""
    if quantiser.bipolar and x.steps and x.steps[-1].node.op_type == "Relu":
        raise UnsupportedOp(
            f"node {quantiser.name!r} (BipolarQuant): stands behind a Relu and so is +1 for every "
            "input; exporters write a 1-bit QuantReLU so. Use 2 bits, or a bipolar activation"
        )


def _falls_before_pools(quantiser: Quantiser, x: Stream, opset: int) -> Flags:
    """Channels that decrease between the integers and the max-pools; all pools must agree.

    max(f(a), f(b)) = f(max(a, b)) needs each f in front of a pool to increase, or all to decrease.
    """
    assert x.type is not None
    low, high, channels = x.type.min, x.type.max, x.channels
    first = evaluator(x, opset, x.pools[0].tensor)
    ends = first(np.broadcast_to([[low], [high]], (2, channels)))
    falls = np.asarray(ends[1] < ends[0])
    sign = np.where(falls, -1, 1)
    for pool in x.pools:
        before = evaluator(x, opset, pool.tensor)

        def steps(integers: Ints, before: Function = before) -> Ints:
            rises = before(integers) * sign >= before((integers - 1).clip(low)) * sign
            return rises.astype(np.int64)

        always = np.full((channels, 1), low, np.int64)
        bad = first_violation(steps, low, high, always, np.array([0, 1]))
        if bad is not None:
            raise UnsupportedOp(_bent(pool, quantiser, x, bad[0]))
    return falls


def _bent(pool: Move, quantiser: Quantiser, x: Stream, channel: int) -> str:
    return (
        f"node {pool.name!r} (MaxPool): what stands between it and {x.node!r} is not monotone in "
        f"channel {channel}; put quantiser {quantiser.name!r} before the pool"
    )
