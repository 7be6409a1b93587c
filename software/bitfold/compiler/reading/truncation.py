"""Trunc nodes: an integer loses its least bits. Two versions, told apart by their inputs.

Version 1 (x, scale, zero point, input bits, output bits) drops input bits - output bits and keeps
the scale; it clips nothing. Version 2 (x, scale, zero point, input bits, output scale, output
bits) divides by the power of two nearest to output scale / scale, and clips. Both first round
x / scale to the nearest integer, so that the float32 error of a mean in front does no harm.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.quantiser import (
    MAX_BIAS_BITS,
    MAX_BITS,
    Floats,
    Quantiser,
    Truncation,
    attributes,
    check_zero_point,
    positive_scale,
    rounding_of,
    width,
)
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.types import IntType


def parse_truncation(node: onnx.NodeProto, parameters: Sequence[NDArray[Any] | None]) -> Quantiser:
    """The integer function of a Trunc node; its width is that of the node's output bits.

    Raises: UnsupportedOp or ModelError naming the node and the rule.
    """
    subject = f"node {node.name!r} (Trunc)"
    if any(p is None for p in parameters):
        raise UnsupportedOp(f"{subject}: all its parameters must be constants")
    if len(parameters) not in (4, 5):
        raise ModelError(f"{subject}: has {len(parameters)} parameters, not 4 or 5")
    scale = _scalar(subject, positive_scale(subject, parameters[0]))
    check_zero_point(subject, parameters[1])
    given = attributes(node)
    rounding = rounding_of(subject, given, "FLOOR", "even")
    before = width(subject, parameters[2], MAX_BIAS_BITS)
    bits = width(subject, parameters[-1], MAX_BITS)
    name = node.name
    if len(parameters) == 4:
        if bits > before:
            raise ModelError(f"{subject}: makes {bits} bits of {before}; it can only drop bits")
        truncation = Truncation(scale, np.float32(2.0 ** (before - bits)))
        return Quantiser(
            *(name, np.asarray(scale), bits, True),
            rounding=rounding,
            truncation=truncation,
            clips=False,
        )
    out = _scalar(subject, positive_scale(subject, parameters[3]))
    truncation = Truncation(scale, np.float32(2.0 ** np.round(np.log2(out / scale))))
    return Quantiser(
        *(name, np.asarray(out), bits, bool(given.get("signed", 1)), bool(given.get("narrow", 0))),
        rounding=rounding,
        truncation=truncation,
    )


def holding(quantiser: Quantiser, ends: Floats) -> Quantiser:
    """A truncation that does not clip, with the type that holds what comes of `ends`.

    ends: least and greatest real that reaches it. Raises: UnsupportedOp beyond 8 bits.
    """
    codes = quantiser.codes(ends)
    if not np.isfinite(codes).all():
        raise ModelError(f"node {quantiser.name!r} (Trunc): gets values that are not finite")
    kind = IntType.holding(int(codes.min()), int(codes.max()), ())
    if kind.bits > MAX_BITS:
        raise UnsupportedOp(
            f"node {quantiser.name!r} (Trunc): its integers reach from {int(codes.min())} to "
            f"{int(codes.max())}, more than {MAX_BITS} bits; give it fewer output bits"
        )
    return Quantiser(
        *(quantiser.name, quantiser.scale, max(kind.bits, 1 + kind.signed), kind.signed),
        rounding=quantiser.rounding,
        truncation=quantiser.truncation,
    )


def _scalar(subject: str, value: Floats) -> np.float32:
    if value.size != 1:
        raise UnsupportedOp(f"{subject}: {value.size} scales; one per tensor is compiled")
    return np.float32(value.reshape(()))
