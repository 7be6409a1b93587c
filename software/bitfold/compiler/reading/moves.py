"""Nodes that move values and compute none: nearest Resize, DepthToSpace, Pad."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import MAX_ELEMENTS, Constant, fold
from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import (
    Cat,
    Fill,
    Move,
    Runtime,
    Stream,
    fresh_view,
    move,
)
from bitfold.compiler.reading.windows import NotAMap, places, squeezed, whole_numbers
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import DepthToSpace, Upsample, ZeroPad

Inputs = Sequence[Runtime | Constant | None]


def read_resize(
    node: onnx.NodeProto, x: Stream, inputs: Inputs, builder: Builder, order: int
) -> Stream:
    """Resize (or the older Upsample) that repeats pixels a whole number of times.

    Whatever its mode and coordinate transformation say, what it does to the numbers of the pixels
    decides. Raises: UnsupportedOp when that is not a repetition.
    """
    subject = f"node {node.name!r} ({node.op_type})"
    if not x.map_axes():
        raise NotAMap(subject, x, builder)
    constants = _constants(subject, inputs)
    _guard_scales(subject, node, constants, x)
    rows, columns = x.shape[1:]
    pixels = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    numbers = np.broadcast_to(pixels.reshape(x.view.shape[2:]), x.view.shape)
    made = fold(node, [Constant(np.ascontiguousarray(numbers)), *constants], builder.opset).value
    height = made.shape[2] if x.map_axes() == 2 else 1
    factor = (max(1, height // rows), max(1, made.shape[-1] // columns))
    repeated = pixels.repeat(factor[0], 0).repeat(factor[1], 1)
    kept = made.shape[:2] == x.view.shape[:2] and made[0, 0].size == repeated.size
    if not kept or (made.reshape(*made.shape[:2], *repeated.shape) != repeated).any():
        raise UnsupportedOp(
            f"{subject}: makes {made.shape} of {x.view.shape} otherwise than by repeating each "
            "pixel a whole number of times. Use nearest neighbour with whole scales "
            "(coordinate transformation asymmetric, nearest mode floor)"
        )
    view = fresh_view(len(x.view), (x.shape[0], *repeated.shape))
    up = Move(node.name, x.tensor, Upsample("", factor))
    return squeezed(move(x, order, node, up, view), x.map_axes())


def _guard_scales(
    subject: str, node: onnx.NodeProto, constants: list[Constant | None], x: Stream
) -> None:
    """Refuse results far beyond any network's, before they are evaluated.

    The last constant has scales, whose product counts, or sizes, which are integers.
    """
    given = [c.value for c in constants if c is not None and c.value.size]
    last = given[-1] if given else np.asarray(attributes(node).get("scales", [1.0]))
    factors = np.maximum(last.astype(np.float64), 1)
    size = factors.prod() * (1 if last.dtype.kind == "i" else x.view.size)
    if not size <= MAX_ELEMENTS:
        raise ModelError(f"{subject}: would make {size:.3g} elements; at most {MAX_ELEMENTS}")


def read_depth_to_space(node: onnx.NodeProto, x: Stream, builder: Builder, order: int) -> Stream:
    """DepthToSpace; behind it constants act per tensor only."""
    subject = f"node {node.name!r} (DepthToSpace)"
    if x.map_axes() != 2:
        raise NotAMap(subject, x, builder)
    given = attributes(node)
    block, mode = int(given.get("blocksize", 0)), given.get("mode", "DCR")
    if block < 1 or x.shape[0] % (block * block) or mode not in ("DCR", "CRD"):
        raise ModelError(
            f"{subject}: blocksize {block}, mode {mode!r} on {x.shape[0]} channels; they must "
            "be a multiple of blocksize squared"
        )
    if x.shape[0] != x.channels:
        raise UnsupportedOp(f"{subject}: a second one behind {x.moves[-1].name!r}; use one")
    if x.scale.size > 1 and (x.scale != x.scale[0]).any():
        raise UnsupportedOp(
            f"{subject}: mixes channels of {x.node!r}, which has one scale per channel. Put a "
            "quantiser with one scale in front of it"
        )
    op = DepthToSpace("", block, "DCR" if mode == "DCR" else "CRD")
    shape = (x.shape[0] // block**2, x.shape[1] * block, x.shape[2] * block)
    view = fresh_view(len(x.view), shape)
    return move(x, order, node, Move(node.name, x.tensor, op), view)


def pads_of(node: onnx.NodeProto, inputs: Inputs, rank: int) -> list[int]:
    """Amounts before each axis, then behind each. Raises: UnsupportedOp unless zeros are added."""
    subject = f"node {node.name!r} (Pad)"
    given = attributes(node)
    constants = _constants(subject, inputs)
    amounts, value, axes = given.get("pads"), given.get("value", 0.0), None
    if amounts is None:
        listed = [c.value.reshape(-1) if c is not None else None for c in constants]
        amounts, filled, axes = [*listed, None, None, None][:3]
        value = filled[0] if filled is not None and filled.size else 0.0
    if amounts is None or given.get("mode", "constant") != "constant" or value != 0:
        raise UnsupportedOp(
            f"{subject}: mode {given.get('mode', 'constant')!r}, value {value}; only zeros are "
            "padded"
        )
    whole = [0] * (2 * rank)
    along = list(range(rank)) if axes is None else places(subject, axes, rank)
    counts = whole_numbers(subject, "pads", amounts)
    if len(counts) != 2 * len(along):
        raise ModelError(f"{subject}: {len(counts)} pads for {len(along)} axes")
    for k, axis in enumerate(along):
        whole[axis], whole[rank + axis] = counts[k], counts[len(along) + k]
    if min(whole) < 0:
        raise UnsupportedOp(f"{subject}: pads {whole} cut; only zeros are added")
    return whole


def pad_channels(node: onnx.NodeProto, x: Stream, before: int, behind: int) -> Cat:
    """Channels of zeros in front of and behind a map, as parts of a concatenation."""
    shape = (before + x.shape[0] + behind, *x.shape[1:])
    view = fresh_view(len(x.view), shape)
    if x.map_axes() == 1:
        view = view[:, :, 0]
    sides = [
        Fill((count, *x.shape[1:]), np.zeros(count, np.float32)) if count else None
        for count in (before, behind)
    ]
    parts = [part for part in (sides[0], x, sides[1]) if part is not None]
    return Cat(tuple(parts), view)


def pad_map(
    node: onnx.NodeProto, x: Stream, pads: tuple[int, int, int, int], builder: Builder
) -> Stream:
    """Zeros around the codes `x`, which have no steps and are not bipolar."""
    top, left, bottom, right = pads
    shape = (x.shape[0], x.shape[1] + top + bottom, x.shape[2] + left + right)
    view = fresh_view(len(x.view), shape)  # refuses absurd sizes
    name = builder.add(node.name, ZeroPad(x.node, pads=pads))
    padded = replace(
        x,
        node=name,
        type=builder.types[name],
        shape=shape,
        view=view,
        source=node.output[0],
        origin=None,
    )
    return squeezed(padded, x.map_axes())


def _constants(subject: str, inputs: Inputs) -> list[Constant | None]:
    rest = list(inputs[1:])
    if any(isinstance(i, Runtime) for i in rest):
        raise UnsupportedOp(f"{subject}: its parameters must be constants")
    return [i for i in rest if not isinstance(i, Runtime)]
