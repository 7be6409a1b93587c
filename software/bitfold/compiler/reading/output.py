"""The end of the network: what its last integers mean, and what is left to the host."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.reading.affine import affine_prefix
from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.stream import Stream, fresh_view
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.graph import ValueMap
from bitfold.ir.ops import AddBias, Conv, Dense, DepthToSpace
from bitfold.ir.types import Ints

# Relative distance within which a bias counts as lying on the accumulator's grid: a quantised
# bias is stored as integer * float32(scale), a few units in the last place off.
ON_GRID = 2.0**-20
MOST_OFF = 2.0**-8  # of a unit of the grid: what is farther off lies between its points
MAX_BIAS = 2.0**31


@final
@dataclass(frozen=True, eq=False)
class Tail:
    """`tensor` is the ONNX tensor that the output integers stand for.

    view: for each element of one of its samples the place in the output integers.
    """

    node: str
    map: ValueMap
    tensor: str
    view: Ints
    notes: tuple[str, ...]


def finish(x: Stream, host: tuple[str, ...], builder: Builder) -> Tail:
    """End the graph at `x`; `host` names the nodes behind it that no integers can express.

    A bias that lies on the accumulator's grid becomes AddBias; any other affine tail goes to the
    output's value map.
    """
    if x.type is None or not any(isinstance(n.op, Conv | Dense) for n in builder.nodes.values()):
        raise ModelError("the model has no quantised layer between its input and its output")
    if x.pools and not _pools_codes(x, builder):
        raise UnsupportedOp(
            f"node {x.pools[-1].name!r} (MaxPool): the output leaves it unquantised; put a Quant "
            "node behind it, or right in front of it"
        )
    scale, bias, count = affine_prefix(x, x.scale, np.zeros(()))
    tensor, view = x.source, x.view if x.origin is None else x.origin
    if count:
        tensor, view = x.steps[count - 1].node.output[0], x.steps[count - 1].view
    left = (*(s.name for s in x.steps[count:]), *host)
    notes: list[str] = []
    if left:
        notes.append(f"left to the host: {', '.join(left)}; outputs are the values before")
    with np.errstate(over="ignore"):
        finite = np.isfinite(np.float32(scale)).all() and np.isfinite(np.float32(bias)).all()
    if not finite:
        raise ModelError(
            f"output {tensor!r}: is integers of {x.node!r} times {np.abs(scale).max():g} plus "
            f"{np.abs(bias).max():g}, which float32 cannot hold; scale it by less"
        )
    integers = _on_grid(scale, bias, x.channels)
    exact = isinstance(builder.op(x.node), Conv | Dense) and integers is not None
    if x.shape[0] != x.channels and not (scale.size == 1 and (exact or not bias.any())):
        return finish(*_unmixed(x, host), builder)
    name = x.node
    if exact and integers is not None:
        if integers.any():
            name = builder.add(f"{name}_bias", AddBias(name, integers))
        bias = np.zeros(())
    name = builder.moved(name, x.moves)
    if not x.flat_order():
        notes.append("outputs are in the order channel, row, column; the file transposes them")
    value_map = ValueMap(np.asarray(scale), np.asarray(bias))
    return Tail(name, value_map, tensor, view[0], tuple(notes))


def _unmixed(x: Stream, host: tuple[str, ...]) -> tuple[Stream, tuple[str, ...]]:
    """`x` in front of the move that mixes its channels, and what is then left to the host."""
    first = next(i for i, m in enumerate(x.moves) if isinstance(m.op, DepthToSpace))
    at = next(i for i, s in enumerate(x.steps) if s.name == x.moves[first].name)
    kind = x.type
    assert kind is not None
    for each in x.moves[:first]:
        kind = each.op.infer(kind)
    before = replace(
        x,
        shape=kind.shape,
        view=fresh_view(len(x.view), kind.shape),
        tensor=x.moves[first].tensor,
        steps=x.steps[:at],
        moves=x.moves[:first],
    )
    return before, (*(s.name for s in x.steps[at:]), *host)


def _pools_codes(x: Stream, builder: Builder) -> bool:
    """Whether the pools stand right behind a quantiser. (A pool is an Identity step.)"""
    last = next(i for i, s in reversed(list(enumerate(x.steps))) if s.name == x.pools[-1].name)
    plain = all(step.node.op_type == "Identity" for step in x.steps[: last + 1])
    return plain and builder.holds_codes(x.node)


def _on_grid(
    scale: NDArray[np.float64], bias: NDArray[np.float64], channels: int
) -> NDArray[np.int64] | None:
    if not scale.all():
        return None
    ratio = np.broadcast_to(bias / scale, (channels,))
    nearest = np.rint(ratio)
    near = np.abs(ratio - nearest) <= np.minimum(ON_GRID * np.maximum(1.0, np.abs(ratio)), MOST_OFF)
    return nearest.astype(np.int64) if near.all() and (np.abs(ratio) < MAX_BIAS).all() else None
