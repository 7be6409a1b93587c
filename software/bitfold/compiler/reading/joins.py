"""Where branches meet: Add, Sub and Sum of several streams, and Concat."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.codes import common_unit, regridded, summand, with_zero
from bitfold.compiler.reading.constants import MAX_ELEMENTS
from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import (
    Cat,
    Fill,
    Runtime,
    Stream,
)
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Concat, Sum, ZeroPad

SUMS = ("Add", "Sub", "Sum")


def read_sum(node: onnx.NodeProto, streams: Sequence[Stream], builder: Builder) -> Stream:
    """An integer sum of quantised operands; an operand that is a sum itself is taken apart.

    What is added several times is one operand with a factor.
    Raises: UnsupportedOp when the operands have different shapes, or scales without a common grid.
    """
    subject = f"node {node.name!r} ({node.op_type})"
    first = streams[0]
    for other in streams[1:]:
        if not np.array_equal(first.view, other.view):
            raise UnsupportedOp(
                f"{subject}: adds {first.node!r} {first.view.shape} and {other.node!r} "
                f"{other.view.shape}, which differ in shape or in the order of their elements; "
                "only equal ones are summed"
            )
    names: list[str] = []
    weights: list[int] = []
    scales = []
    for index, stream in enumerate(streams):
        sign = -1 if node.op_type == "Sub" and index else 1
        whole = not stream.steps and not stream.moves
        inner = builder.op(stream.node) if whole else None
        if isinstance(inner, Sum):
            names += inner.x
            weights += [sign * k for k in inner.factors]
            scales += [stream.scale] * len(inner.x)
            continue
        codes = with_zero(summand(stream, node.name, builder), builder)
        names.append(codes.node)
        weights.append(sign)
        scales.append(codes.scale)
    mixed = len({builder.types[n].shape for n in names}) > 1
    if mixed:
        scales = [_spread(s, builder.types[n].shape) for s, n in zip(scales, names, strict=True)]
    common = common_unit(scales)
    if common is None:
        apart = [not np.array_equal(s, scales[0]) for s in scales].index(True)
        raise UnsupportedOp(
            f"{subject}: joins {names[0]!r} and {names[apart]!r}, whose scales differ "
            f"({_brief(scales[0])} and {_brief(scales[apart])}) and are no small multiples of one "
            "number. Give both branches one shared quantiser"
        )
    unit, factors = common
    if mixed:
        names = [builder.flat(n) for n in names]
    joined: dict[str, int] = dict.fromkeys(names, 0)
    for each, weight, factor in zip(names, weights, factors, strict=True):
        joined[each] += weight * factor
    joined = {each: weight for each, weight in joined.items() if weight}
    if not joined:
        raise UnsupportedOp(f"{subject}: its operands cancel; the sum is 0 for every input")
    name = builder.add(node.name, Sum(tuple(joined), tuple(joined.values())))
    kind = builder.types[name]
    return Stream(name, kind, kind.shape, unit, first.view, source=node.output[0])


def _spread(scale: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A scale per channel as one per element of the vector that the value becomes."""
    return scale.repeat(prod(shape) // len(scale)) if scale.ndim else scale


def _brief(scale: NDArray[np.float64]) -> str:
    first = f"{scale.reshape(-1)[0]:g}"
    return first if scale.size == 1 else f"{first}, ..."


def read_concat(node: onnx.NodeProto, operands: Sequence[Runtime]) -> Cat:
    """A concatenation along any axis; its parts stay apart until something needs them whole.

    Raises: UnsupportedOp when the operands' IR values do not fit behind one another.
    """
    subject = f"node {node.name!r} (Concat)"
    axis = int(attributes(node).get("axis", 1))
    rank = operands[0].view.ndim
    axis %= rank
    batch = len(operands[0].view)
    ranks = {o.view.ndim for o in operands}
    rest = {tuple(s for a, s in enumerate(o.view.shape) if a != axis) for o in operands}
    if axis == 0 or len(ranks) > 1 or len(rest) > 1:
        shapes = " and ".join(str(o.view.shape) for o in operands[:4])
        raise ModelError(f"{subject}: cannot join {shapes} on axis {axis}")
    size = sum(o.view[0].size for o in operands)
    if batch * size > MAX_ELEMENTS:
        raise ModelError(f"{subject}: makes {batch * size} elements; at most {MAX_ELEMENTS}")
    parts: list[Stream | Fill] = []
    places = []
    before = 0
    for operand in operands:
        places.append(operand.view[:1] + before)
        before += operand.view[0].size
        parts += operand.parts if isinstance(operand, Cat) else [operand]
    one = np.concatenate(places, axis=axis)
    starts = (np.arange(batch) * size).reshape(-1, *[1] * (rank - 1))
    return Cat(tuple(parts), one + starts)


def made_whole(cat: Cat, tensor: str, reader: str, builder: Builder) -> Stream:
    """The stream of a concatenation's codes, or of accumulators, `tensor` in the file.

    Raises: UnsupportedOp when the parts' scales have no common grid or their maps differ in size.
    """
    streams = [summand(part, reader, builder) for part in cat.parts if isinstance(part, Stream)]
    if not all(s.type is not None and s.type.bipolar for s in streams) or len(streams) < len(
        cat.parts
    ):
        streams = [with_zero(s, builder) for s in streams]
    scales = [s.scale.reshape(-1)[:1].reshape(()) for s in streams]
    single = all((s.scale == one).all() for s, one in zip(streams, scales, strict=True))
    common = common_unit(scales) if single else None
    if common is None:
        raise UnsupportedOp(
            f"node {reader!r}: reads a concatenation of "
            f"{', '.join(repr(s.node) for s in streams)}, whose scales differ "
            f"({', '.join(_brief(s.scale) for s in streams)}) and are no small multiples of one "
            "number. Give the branches one shared quantiser, or put one behind the concatenation"
        )
    unit, factors = common
    if any(k != 1 for k in factors):  # regridded codes are not bipolar, and then none may be
        streams = [
            with_zero(s, builder) if k == 1 else s for s, k in zip(streams, factors, strict=True)
        ]
    names = [
        (s if k == 1 else regridded(s, float(unit), builder)).node
        for s, k in zip(streams, factors, strict=True)
    ]
    if not cat.uniform:
        names = [builder.flat(n) for n in names]
    name = _joined(cat, names, reader, builder)
    kind = builder.types[name]
    return Stream(name, kind, kind.shape, unit, cat.view, source=tensor)


def _joined(cat: Cat, names: Sequence[str], reader: str, builder: Builder) -> str:
    """One Concat node; parts that hold zeros become padding of their neighbours."""
    waiting = 0
    padded: list[str] = []
    rest = iter(names)
    for part in cat.parts:
        if isinstance(part, Fill):
            if part.values.any():
                raise UnsupportedOp(
                    f"node {reader!r}: reads padded channels that are {part.values[0]:g} by now; "
                    "only zeros are padded. Put a quantiser right behind the padding"
                )
            waiting += part.shape[0]
            continue
        name = next(rest)
        if waiting:
            name = builder.add(f"{name}_pad", ZeroPad(name, channels=(waiting, 0)))
            waiting = 0
        padded.append(name)
    joined = padded[0]
    if len(padded) > 1:
        joined = builder.add(f"{reader}_concat", Concat(tuple(padded)))
    if waiting:
        op = builder.op(joined)
        if isinstance(op, ZeroPad) and not any(op.pads):
            op = replace(op, channels=(op.channels[0], waiting))
        else:
            op = ZeroPad(joined, channels=(0, waiting))
        joined = builder.add(f"{reader}_pad", op)
    return joined
