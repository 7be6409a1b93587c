"""Where reals become integers and integers become reals: the graph's input and output."""

import re
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.affine import affine_prefix
from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.layout import Layout
from bitfold.compiler.reading.quantiser import Quantiser
from bitfold.compiler.reading.stream import Floats, Stream, evaluator
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.graph import ValueMap
from bitfold.ir.ops import Input
from bitfold.ir.types import Ints, IntType

CUTTING = ("Relu", "Clip", "Max", "Min")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class InputRule:
    """What `Graph` records of the input quantiser."""

    map: ValueMap
    range: tuple[int, int] | None = None
    rounding: str = "HALF_EVEN"


def quantise_input_stream(
    quantiser: Quantiser, scale: Floats, x: Stream, builder: Builder, source: str
) -> tuple[Stream, InputRule]:
    """The Input node for the first quantiser; preprocessing before it must be affine.

    A Relu or a clipping counts as nothing, if the quantiser cuts off as much.
    Raises: UnsupportedOp when the preprocessing is not affine, decreases, or cannot be restated
    as (x - bias) / scale in float32 without moving a step.
    """
    subject = f"node {quantiser.name!r}"
    kind = IntType(
        shape=x.shape, bits=quantiser.bits, signed=quantiser.signed, bipolar=quantiser.bipolar
    )
    factor, offset, count = affine_prefix(_uncut(x), np.ones(()), np.zeros(()))
    if x.moves or count < len(x.steps) or (factor <= 0).any() or quantiser.truncation:
        raise UnsupportedOp(
            f"{subject}: preprocessing in front of the input quantiser ({x.step_names}) must be "
            "increasing, of the form scale * x + bias; do the rest where the data is loaded"
        )
    value_map = ValueMap(np.asarray(scale / factor), np.asarray(-offset / factor))
    narrowed = (quantiser.low, quantiser.high)
    rule = InputRule(
        map=value_map,
        range=None if narrowed == (kind.min, kind.max) else narrowed,
        rounding=quantiser.rounding,
    )
    if x.steps:
        _check_restated(quantiser, scale, x, value_map, builder.opset)
    name = builder.add("input", Input(kind))
    stream = Stream(name, kind, x.shape, scale.astype(np.float64), x.view, source)
    return stream, rule


def _uncut(x: Stream) -> Stream:
    """`x` with nothing in place of each step that only cuts off."""
    steps = []
    for step in x.steps:
        source = [name for name in step.node.input if name and name not in step.constants]
        if step.node.op_type in CUTTING and len(source) == 1:
            same = onnx.helper.make_node("Identity", source, list(step.node.output), step.name)
            steps.append(replace(step, node=same, constants={}))
        else:
            steps.append(step)
    return replace(x, steps=tuple(steps))


def _check_restated(
    quantiser: Quantiser, scale: Floats, x: Stream, value_map: ValueMap, opset: int
) -> None:
    """Compare both forms of the input quantiser at each of its steps, to the last float32."""
    function = evaluator(x, opset)

    def wanted(reals: Floats) -> Floats:
        return quantiser.codes(function(reals), scale)

    def restated(reals: Floats) -> Floats:
        shifted = reals - value_map.bias.astype(np.float32)
        if quantiser.bipolar:
            return np.where(reals >= value_map.bias, np.float32(1), np.float32(-1))
        return quantiser.codes(shifted, value_map.scale.astype(np.float32))

    levels = np.arange(quantiser.low + 1, quantiser.high + 1, 1 + quantiser.bipolar)
    shape = (len(levels), x.channels)
    below = np.full(shape, _ordinal(np.float32(-3e38)), np.int64)
    above = np.full(shape, _ordinal(np.float32(3e38)), np.int64)
    while (below < above).any():
        middle = (below + above) // 2
        reached = wanted(_float(middle)) >= levels[:, None]
        below, above = np.where(reached, below, middle + 1), np.where(reached, middle, above)
    for step in (below - 1, below):
        reals = _float(step)
        wrong = np.argwhere(wanted(reals) != restated(reals))
        if len(wrong):
            at = reals[tuple(wrong[0])]
            raise UnsupportedOp(
                f"node {quantiser.name!r}: preprocessing in front of it ({x.step_names}) rounds "
                f"otherwise than (x - bias) / scale, at x = {at!r} first; do it where the data "
                "is loaded, or use constants that are powers of two"
            )


def _ordinal(value: np.float32) -> int:
    """Position of a float32 among all float32, ascending."""
    bits = int(np.asarray(value, np.float32).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _float(ordinals: Ints) -> Floats:
    """Inverse of `_ordinal`."""
    bits = np.where(ordinals >= 0, ordinals, -ordinals + (1 << 31)).astype(np.uint32)
    return bits.view(np.float32)


def annotated_input(
    x: Stream, datatype: str, builder: Builder, reader: str
) -> tuple[Stream, InputRule]:
    """The Input node for a network fed with integers, as its QONNX annotation states.

    Element-wise nodes in front of the first layer may move and scale those integers.
    """
    fed = _values(datatype)
    if fed is None:
        raise ModelError(
            f"node {reader!r}: the input reaches it without a quantiser; put a Quant node (or an "
            "integer annotation of at most 8 bits) at the graph's input: "
            "bitfold quantise-input MODEL --scale 1/255"
        )
    columns = evaluator(x, builder.opset)(np.repeat(fed[:, None], x.channels, 1).astype(np.float32))
    reals = columns[:, 0].astype(np.float64)
    subject = f"node {reader!r}: its input ({x.step_names} on {datatype} integers)"
    grid = _grid(reals)
    if (columns != columns[:, :1]).any() or grid is None or x.moves:
        raise UnsupportedOp(
            f"{subject} must be one multiple of consecutive integers; put a Quant node before it"
        )
    unit, codes = grid
    bipolar = codes.tolist() == [-1, 1]
    kind = IntType.holding(int(codes.min()), int(codes.max()), x.shape)
    if bipolar:
        kind = IntType(shape=x.shape, bits=1, signed=True, bipolar=True)
    scale = (fed[1] - fed[0]) / (codes[1] - codes[0])
    value_map = ValueMap(np.asarray(scale, np.float64), np.asarray(fed[0] - scale * codes[0]))
    limits = (int(codes.min()), int(codes.max()))
    rule = InputRule(map=value_map, range=None if limits == (kind.min, kind.max) else limits)
    name = builder.add("input", Input(kind))
    return Stream(name, kind, x.shape, np.asarray(unit), x.view, x.source), rule


def _values(datatype: str) -> NDArray[np.int64] | None:
    """All values of a QONNX integer type of at most 8 bits, ascending; None for other types."""
    special = {"BIPOLAR": [-1, 1], "TERNARY": [-1, 0, 1], "BINARY": [0, 1]}
    if datatype in special:
        return np.array(special[datatype])
    match = re.fullmatch(r"(U?)INT([1-8])", datatype)
    if match is None or datatype == "INT1":
        return None
    bits = int(match[2])
    low = 0 if match[1] else -(1 << bits - 1)
    return np.arange(low, low + (1 << bits))


def _grid(reals: NDArray[np.float64]) -> tuple[float, Ints] | None:
    """(unit, codes) with reals == float32(unit * codes); codes consecutive, or -1 and +1.

    reals ascend and are float32's. The unit is the one next to zero, if zero is among them or near:
    differences of others are rounded.
    """
    if len(reals) == 2 and reals[0] == -reals[1] and reals[1] > 0:
        return float(reals[1]), np.array([-1, 1])
    for unit in (np.abs(reals[reals != 0]).min(initial=np.inf), reals[1] - reals[0]):
        if not 0 < unit < np.inf:
            continue
        codes = np.rint(reals / unit).astype(np.int64)
        on_grid = ((unit * codes).astype(np.float32) == reals.astype(np.float32)).all()
        if on_grid and (np.diff(codes) == 1).all():
            return float(unit), codes
    return None


def raw_stream(value: onnx.ValueInfoProto, layout: Layout | None, subject: str) -> Stream:
    """The graph's input before any quantiser, its axes as `layout` says.

    Raises: ModelError for a type other than float32 or an unknown size other than the batch.
    """
    tensor = value.type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        raise ModelError(f"{subject}: input {value.name!r} is not float32; QONNX inputs are")
    sizes = [d.dim_value for d in tensor.shape.dim]
    if len(sizes) < 2 or min(sizes[1:], default=0) < 1:
        names = [d.dim_value or d.dim_param or "?" for d in tensor.shape.dim]
        raise ModelError(
            f"{subject}: input {value.name!r} has shape {names}; all but the batch, the first, "
            "must be known. Export with a fixed input size"
        )
    layout = layout or Layout.of(tuple(sizes[1:]))
    view = layout.view(max(1, sizes[0]))
    return Stream("", None, layout.shape, np.ones(()), view, source=value.name)
