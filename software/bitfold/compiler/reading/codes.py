"""Streams brought to quantised integers, as layers, sums and concatenations read them."""

from dataclasses import replace
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.reading.affine import affine_prefix
from bitfold.compiler.reading.builder import Builder, emitted
from bitfold.compiler.reading.quantiser import MAX_BITS, Quantiser
from bitfold.compiler.reading.requantise import requantise
from bitfold.compiler.reading.stream import ROOT, Stream, evaluator
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Conv, Dense
from bitfold.ir.types import IntType

Doubles = NDArray[np.float64]
MAX_FACTOR = 256  # between scales that are brought to one grid
# Steps that return one of their arguments: on a grid they stay on it, whatever its scale.
SELECTING = ("Relu", "Identity", "Max", "Min", "Clip")
TABULATED = 1 << 12  # integers on which other steps are tried


def as_codes(x: Stream, reader: str, builder: Builder) -> Stream:
    """`x` as integers of a quantiser times a scale, without steps; its moves are made.

    A scaling behind a quantiser goes into the scale, but for one by a negative number in front of
    a max-pool. Other steps, and sums, become codes of their own where they keep to the grid and
    need at most 8 bits.
    Raises: ModelError when a quantiser is missing.
    """
    assert x.type is not None
    factor, offset, count = affine_prefix(x, np.ones(()), np.zeros(()))
    scaled = builder.holds_codes(x.node) and count == len(x.steps) and not offset.any()
    if not (scaled and _rises_before_pools(x)):
        x = _tabulated(x, factor if not offset.any() else np.ones(()), reader, builder)
        factor = np.ones(())
    name = emitted(builder, x)
    scale, kind = _product(x, factor, builder.opset), builder.types[name]
    if not scale.all():
        raise ModelError(f"node {reader!r}: its input {x.node!r} is multiplied by 0")
    return replace(x, node=name, type=kind, scale=scale, steps=(), moves=(), tensor=ROOT)


def summand(x: Stream, reader: str, builder: Builder) -> Stream:
    """`x` as integers times a scale, for a sum: as `as_codes`, or accumulators as they are.

    Raises: as `as_codes`; ModelError for accumulators that a step has brought off their grid.
    """
    if builder.holds_codes(x.node):
        return as_codes(x, reader, builder)
    moves = {move.name for move in x.moves}
    names = [step.name for step in x.steps if step.name not in moves]
    between = ["its bias" if name == x.node else name for name in names]
    if between and isinstance(builder.op(x.node), Conv | Dense):
        raise ModelError(
            f"node {reader!r}: joins the sums of {x.node!r} behind {', '.join(between[:6])}, which "
            "rounds them off the grid of their scale; only bare sums are joined as integers. Put "
            "an activation quantiser in front of it"
        )
    if between:
        return as_codes(x, reader, builder)
    name = emitted(builder, x)
    return replace(x, node=name, type=builder.types[name], steps=(), moves=(), tensor=ROOT)


def _rises_before_pools(x: Stream) -> bool:
    """Whether what stands in front of each max-pool, a scaling, is by positive numbers."""
    for pool in x.pools:
        at = next(i for i, step in enumerate(x.steps) if step.name == pool.name)
        before = replace(x, steps=x.steps[:at])
        if not (affine_prefix(before, np.ones(()), np.zeros(()))[0] > 0).all():
            return False
    return True


def _product(x: Stream, factor: Doubles, opset: int) -> Doubles:
    """The scale of `x` behind steps that multiply it by `factor`.

    QONNX multiplies in float32: its product is taken where it gives the reals of all codes, so
    that values on a grid stay there (0.2 times 5 is 1). Where each code is rounded its own way
    there is no grid, and the reals of single codes are a float32's last place off.
    """
    exact = x.scale * factor
    if not x.steps or x.type is None:
        return exact
    single = exact.astype(np.float32).astype(np.float64)
    if single.ndim and len(single) != x.channels:
        return exact
    codes = np.arange(x.type.min, x.type.max + 1)[:, None].repeat(x.channels, axis=1)
    reals = evaluator(x, opset)(codes)
    return single if ((codes * single).astype(np.float32) == reals).all() else exact


def _tabulated(x: Stream, factor: Doubles, reader: str, builder: Builder) -> Stream:
    """Codes for the values that the steps make of each integer, on the grid of `x`."""
    assert x.type is not None
    missing = ModelError(
        f"node {reader!r}: no Quant between {x.node!r} and it ({x.step_names}); it computes with "
        "quantised integers. Put an activation quantiser there"
    )
    unit = x.scale * factor
    if isinstance(builder.op(x.node), Conv | Dense):
        raise missing
    if x.type.max - x.type.min >= TABULATED or unit.size > 1 or not unit:
        raise missing
    unit = np.abs(unit.reshape(()))
    integers = np.arange(x.type.min, x.type.max + 1)[:, None]
    reals = evaluator(x, builder.opset)(np.broadcast_to(integers, (len(integers), x.channels)))
    codes = np.rint(reals / unit)
    if not np.isfinite(codes).all():
        raise missing
    exact = unit * codes
    if all(step.node.op_type in SELECTING for step in x.steps):
        exact = exact.astype(np.float32).astype(np.float64)
    step = np.float32(unit)
    kind = IntType.holding(int(codes.min()), int(codes.max()), ())
    if kind.bits > MAX_BITS or (exact != reals).any() or step != unit:
        raise missing
    bits = max(kind.bits, 1 + kind.signed)
    quantiser = Quantiser(f"{x.node}_codes", np.asarray(step), bits, kind.signed)
    return _coded(quantiser, x, builder)


def _coded(quantiser: Quantiser, x: Stream, builder: Builder) -> Stream:
    """`x` behind a quantiser that reading adds; the same one for all that read `x`."""
    what = (quantiser.bits, quantiser.signed, quantiser.scale.tobytes())
    key = (x.node, x.scale.tobytes(), x.tensor, x.moves, *what)
    if key not in builder.coded:
        builder.coded[key] = requantise(quantiser, quantiser.scale, x, builder, x.source)
    return replace(builder.coded[key], view=x.view, source=x.source, origin=x.origin)


def common_unit(scales: list[Doubles]) -> tuple[Doubles, tuple[int, ...]] | None:
    """(unit, factors) with scales[i] == factors[i] * unit exactly, unit > 0; None if there is none.

    Scales are () or (C,); the factors hold for all channels.
    """
    rows = np.broadcast_arrays(*scales)
    first = _unit([Fraction(float(row.reshape(-1)[0])) for row in rows])
    factors = tuple(int(Fraction(float(row.reshape(-1)[0])) / first) for row in rows)
    unit = rows[0] / factors[0]
    if max(map(abs, factors)) > MAX_FACTOR:
        return None
    exact = all((unit * k == row).all() for k, row in zip(factors, rows, strict=True))
    return (np.asarray(unit), factors) if exact else None


def _unit(values: list[Fraction]) -> Fraction:
    """Greatest positive number of which each of `values` is an integer multiple."""
    denominator = lcm(*(v.denominator for v in values))
    return Fraction(gcd(*(abs(int(v * denominator)) for v in values)), denominator)


def regridded(x: Stream, unit: float, builder: Builder) -> Stream:
    """Codes `x` as codes on the grid of `unit`, of which its scale is a multiple.

    Raises: UnsupportedOp beyond 8 bits.
    """
    assert x.type is not None
    factor = round(float(x.scale) / unit)
    ends = sorted((factor * x.type.min, factor * x.type.max))
    kind = IntType.holding(ends[0], ends[1], ())
    if kind.bits > MAX_BITS:
        raise UnsupportedOp(
            f"{x.node!r} has scale {float(x.scale):g} and would take {kind.bits} bits on a grid of "
            f"{unit:g}; at most {MAX_BITS}. Give the branches one shared quantiser"
        )
    step = np.asarray(unit, np.float32)
    quantiser = Quantiser(f"{x.node}_codes", step, max(kind.bits, 1 + kind.signed), kind.signed)
    return _coded(quantiser, x, builder)


def with_zero(x: Stream, builder: Builder) -> Stream:
    """Bipolar codes as two-bit ones, which have a zero and can be summed; others as they are."""
    assert x.type is not None
    if not x.type.bipolar:
        return x
    step = np.asarray(x.scale, np.float32)
    quantiser = Quantiser(f"{x.node}_codes", step, 2, signed=True)
    return _coded(quantiser, x, builder)
