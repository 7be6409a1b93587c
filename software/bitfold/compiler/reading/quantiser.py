"""Quant and BipolarQuant nodes: their parameters, checked, and their arithmetic in float32."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.rounding import ROUNDING, SYNONYMS

Floats = NDArray[np.float32]
MAX_BITS = 8  # of weights and activations
MAX_BIAS_BITS = 32
Ties = Literal["even", "finn"]


@final
@dataclass(frozen=True)
class Truncation:
    """What Trunc does first: round(x / scale) is an integer, of which `divisor` counts one."""

    scale: np.float32
    divisor: np.float32


@final
@dataclass(frozen=True, eq=False)
class Quantiser:
    """real x -> integer clip(round(x / scale)) -> real scale * integer; bipolar: the sign.

    `scale` keeps the shape it has in the file and broadcasts against x. rounding: of
    `bitfold.ir.rounding`; it comes behind the clipping, as in QONNX. truncation: of a Trunc node,
    which finds the integer otherwise. clips: older Trunc nodes do not.
    """

    name: str
    scale: Floats
    bits: int
    signed: bool
    narrow: bool = False
    bipolar: bool = False
    rounding: str = "HALF_EVEN"
    truncation: Truncation | None = None
    clips: bool = True

    @property
    def low(self) -> int:
        """Least integer."""
        if self.bipolar:
            return -1
        return (-(1 << self.bits - 1) + self.narrow) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest integer."""
        if self.bipolar:
            return 1
        return (1 << self.bits - 1) - 1 if self.signed else (1 << self.bits) - 1 - self.narrow

    def same_as(self, other: "Quantiser") -> bool:
        """Whether both do the same, whatever their names."""
        mine, its = ({**vars(q), "name": "", "scale": None} for q in (self, other))
        return mine == its and np.array_equal(self.scale, other.scale)

    def codes(self, x: Floats, scale: Floats | None = None) -> Floats:
        """The integers, held in float32, as QONNX computes them; NaN stays NaN."""
        if self.bipolar:
            signs = np.where(x >= 0, np.float32(1), np.float32(-1))
            return np.where(np.isnan(x), np.float32(np.nan), signs)
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is clipped, NaN is kept
            if self.truncation is None:
                scaled: Floats = x / (self.scale if scale is None else scale)
            else:
                scaled = np.rint(x / self.truncation.scale) / self.truncation.divisor
        if self.clips:
            scaled = np.clip(scaled, np.float32(self.low), np.float32(self.high))
        return ROUNDING[self.rounding](scaled)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Attribute values by name; strings decoded."""
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {k: v.decode(errors="replace") if isinstance(v, bytes) else v for k, v in values.items()}


def parse_quantiser(
    node: onnx.NodeProto,
    parameters: Sequence[NDArray[Any] | None],
    *,
    most_bits: int = MAX_BITS,
    ties: Ties = "even",
) -> Quantiser:
    """Check a quantiser node; `parameters` are its inputs after the first, None if not constant.

    most_bits: greatest width; biases have up to 32. ties: "finn" rounds them up.
    Raises: UnsupportedOp or ModelError naming the node and the rule.
    """
    subject = f"node {node.name!r} ({node.op_type})"
    if any(p is None for p in parameters):
        raise UnsupportedOp(f"{subject}: scale, zero point and bit width must be constants")
    bipolar = node.op_type == "BipolarQuant"
    if len(parameters) != (1 if bipolar else 3):
        raise ModelError(f"{subject}: has {len(parameters)} parameters, not {1 if bipolar else 3}")
    scale = positive_scale(subject, parameters[0])
    if bipolar:
        return Quantiser(node.name, scale, 1, signed=True, bipolar=True)
    given = attributes(node)
    rounding = rounding_of(subject, given, "ROUND", ties)
    check_zero_point(subject, parameters[1])
    signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 0))
    bits = width(subject, parameters[2], most_bits)
    if bits == 1 and signed:
        raise UnsupportedOp(
            f"{subject}: signed with 1 bit; exporters write this wrongly. Use BipolarQuant "
            "(Brevitas: SignedBinaryWeightPerTensorConst and the like)"
        )
    if bits == 1 and narrow:
        raise UnsupportedOp(f"{subject}: narrow range with 1 bit leaves one value; use 2 bits")
    return Quantiser(node.name, scale, bits, signed, narrow, rounding=rounding)


def rounding_of(subject: str, given: dict[str, Any], default: str, ties: Ties) -> str:
    """The rounding mode of a node, by its name in `ROUNDING`. Raises: UnsupportedOp."""
    written = str(given.get("rounding_mode", default))
    mode = SYNONYMS.get(written.upper(), written.upper())
    if mode not in ROUNDING or mode == "FINN":
        known = sorted({*ROUNDING, *SYNONYMS} - {"FINN"})
        raise UnsupportedOp(
            f"{subject}: rounding_mode {written!r} is not one of {', '.join(known)}. "
            "Export with the default float-to-int rounding"
        )
    return "FINN" if ties == "finn" and mode == "HALF_EVEN" else mode


def check_zero_point(subject: str, value: NDArray[Any] | None) -> None:
    """Raises: UnsupportedOp unless it is 0."""
    zero_point = np.asarray(value, np.float64)
    if (zero_point != 0).any() or not zero_point.size:
        raise UnsupportedOp(
            f"{subject}: zero point {_brief(zero_point)}; it must be 0. "
            "Use a symmetric (or, after ReLU, unsigned) quantiser"
        )


def positive_scale(subject: str, value: Any) -> Floats:
    """A scale as it stands in the file. Raises: ModelError unless positive and finite."""
    scale = np.asarray(value, np.float32)
    if not scale.size or not np.isfinite(scale).all() or (scale <= 0).any():
        raise ModelError(f"{subject}: scale {_brief(scale)}; it must be positive and finite")
    return scale


def width(subject: str, value: Any, most: int) -> int:
    """A scalar bit width. Raises: UnsupportedOp unless an integer from 1 to `most`."""
    widths = np.asarray(value, np.float64)
    if widths.size != 1:
        raise UnsupportedOp(
            f"{subject}: {widths.size} bit widths; one per tensor is compiled, not one per channel"
        )
    bits = float(widths.reshape(()))
    if not (bits.is_integer() and 1 <= bits <= most):
        raise UnsupportedOp(
            f"{subject}: bit width {bits:g}; it must be an integer from 1 to {most}"
        )
    return int(bits)


def _brief(values: NDArray[Any]) -> str:
    flat = values.reshape(-1)
    return f"{flat[0]}" if flat.size == 1 else f"{flat[:3].tolist()}..." if flat.size else "empty"
