"""Runtime tensors while reading: element-wise, per-channel functions of one IR node's integers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.constants import MAX_ELEMENTS, open_session, run_session
from bitfold.compiler.reading.transcendental import TRANSCENDENTAL, in_float64
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.graph import Float
from bitfold.ir.ops import DepthToSpace, MaxPool, Upsample
from bitfold.ir.types import Ints, IntType

Floats = NDArray[np.float32]
Function = Callable[[Ints | Floats], Floats]
ROOT = "%root"  # name of the function's argument; no ONNX exporter writes such a name


@final
@dataclass(frozen=True, eq=False)
class Step:
    """An element-wise node whose constants are brought to one value a channel."""

    order: int  # position in the file
    name: str  # of the node in the file
    node: onnx.NodeProto
    constants: dict[str, Floats]  # (C,) or ()
    view: Ints  # of the ONNX tensor that it makes


@final
@dataclass(frozen=True, eq=False)
class Move:
    """A node amid the steps that moves values and computes none; a max-pool counts as one.

    tensor: what it reads, among the steps' results. op: its IR form, without an operand yet.
    """

    name: str
    tensor: str
    op: MaxPool | Upsample | DepthToSpace


def uniform(values: NDArray[Float]) -> NDArray[Float]:
    """(C,) or () as () where all are one number."""
    if values.size and (values == values.reshape(-1)[0]).all():
        return values.reshape(-1)[:1].reshape(())
    return values


@final
@dataclass(frozen=True, eq=False)
class Stream:
    """A tensor that depends on the input.

    node:   IR node whose integers it is computed from; "" before the input quantiser.
    type:   of that node; None before the input quantiser.
    shape:  of the IR value here, i.e. behind `moves`, without the batch.
    scale:  real value of that node = scale * integer; () or (C,).
    view:   (B, ...) for each element of the ONNX tensor its flat position in the IR value.
    source: ONNX tensor that holds the IR node's reals; its view is `origin`, None: as `view`.
    tensor: name, among the steps' results, of this tensor; `ROOT` where there is no step.
    """

    node: str
    type: IntType | None
    shape: tuple[int, ...]
    scale: NDArray[np.float64]
    view: Ints
    source: str
    tensor: str = ROOT
    steps: tuple[Step, ...] = ()
    moves: tuple[Move, ...] = ()
    origin: Ints | None = None

    def __post_init__(self) -> None:
        """Raises: ModelError for a scale that float64 cannot hold, UnsupportedOp where a move
        has mixed channels of different scales."""
        scale = uniform(self.scale)
        if not np.isfinite(scale).all():
            raise ModelError(
                f"the values of {self.node!r} are multiplied by so much that their scale is not "
                "finite; scale them by less"
            )
        if scale.ndim and len(scale) != self.channels:
            raise UnsupportedOp(
                f"node {self.node!r}: mixes channels that are scaled each by another number. Put "
                "a quantiser with one scale in front of it"
            )
        object.__setattr__(self, "scale", scale)  # () wherever one number says it

    @property
    def channels(self) -> int:
        """Length of the channel axis of the IR node's value, in front of `moves`."""
        return self.shape[0] if self.type is None else self.type.channels

    @property
    def pools(self) -> tuple[Move, ...]:
        """The max-pools among the moves."""
        return tuple(m for m in self.moves if isinstance(m.op, MaxPool))

    @property
    def step_names(self) -> str:
        """The element-wise nodes, for messages."""
        names = [s.name for s in self.steps]
        return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "") or "none"

    def map_axes(self) -> int:
        """Rows and columns of the ONNX tensor: 2; of a one-dimensional map: 1; of no map: 0.

        A map has the IR value's axes (channels, rows, columns) in this order; a one-dimensional
        one lacks the rows, of which there is one.
        """
        axes = self.view.shape[1:]
        if len(self.shape) != 3 or not self.flat_order():
            return 0
        one = axes == (self.shape[0], self.shape[2]) and self.shape[1] == 1
        return 2 if axes == self.shape else 1 if one else 0

    def flat_order(self) -> bool:
        """Whether the elements follow each other as in the IR value, whatever the axes."""
        flat = self.view[0].reshape(-1)
        return bool((flat == np.arange(flat.size)).all())


def fresh_view(batch: int, shape: tuple[int, ...]) -> Ints:
    """The view of an ONNX tensor that has the IR value's own shape.

    Raises: ModelError for a tensor far larger than any network's, which a damaged file may ask for.
    """
    size = batch * prod(shape)
    if size > MAX_ELEMENTS:
        raise ModelError(
            f"a tensor of shape {(batch, *shape)} has {size} elements; at most {MAX_ELEMENTS}"
        )
    return np.arange(size, dtype=np.int64).reshape(batch, *shape)


@final
@dataclass(frozen=True, eq=False)
class Fill:
    """Channels of a `Cat` that hold one constant each: values (C,), in an IR value of `shape`."""

    shape: tuple[int, ...]
    values: Floats


@final
@dataclass(frozen=True, eq=False)
class Cat:
    """A concatenation that is not made yet, so that what follows reaches each part.

    parts: one behind the other on the IR's channel axis. view: as that of a stream.
    """

    parts: tuple[Stream | Fill, ...]
    view: Ints
    moves: tuple[Move, ...] = ()  # none; its parts have them

    @property
    def uniform(self) -> bool:
        """Whether the parts differ in their channels alone; else they are joined as vectors."""
        return len({part.shape[1:] for part in self.parts}) == 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the IR value, without the batch."""
        if not self.uniform:
            return (sum(prod(part.shape) for part in self.parts),)
        return (sum(part.shape[0] for part in self.parts), *self.parts[0].shape[1:])

    @property
    def channels(self) -> int:
        """Length of the channel axis of the IR value."""
        return self.shape[0]


Runtime = Stream | Cat


def per_channel(stream: Runtime, value: NDArray[Any], subject: str) -> Floats:
    """A constant that acts element-wise on `stream`, as () or (C,).

    Of one value wherever all channels have the same. Raises: UnsupportedOp when it differs
    within a channel or among channels that a move mixes, ModelError when it does not fit.
    """
    constant = np.asarray(value, np.float32)
    if constant.size == 1:
        return constant.reshape(())
    try:
        fits = np.broadcast_shapes(constant.shape, stream.view.shape) == stream.view.shape
    except ValueError:
        fits = False
    if not fits:
        raise ModelError(
            f"{subject}: a constant of shape {constant.shape} does not fit a tensor of shape "
            f"{stream.view.shape}"
        )
    values = np.empty(stream.view[0].size, np.float32)
    values[stream.view[0].reshape(-1)] = np.broadcast_to(constant, stream.view.shape)[0].reshape(-1)
    rows = values.reshape(stream.shape[0], -1)
    if (rows != rows[:, :1]).any() or (constant.ndim == stream.view.ndim and len(constant) > 1):
        raise UnsupportedOp(
            f"{subject}: a constant of shape {constant.shape} differs within a channel "
            f"(tensor {stream.view.shape}); only one value per tensor or channel is compiled"
        )
    column = np.ascontiguousarray(rows[:, 0])
    first = 0
    for part in stream.parts if isinstance(stream, Cat) else (stream,):
        own = uniform(column[first : first + part.shape[0]])
        first += part.shape[0]
        if own.ndim and isinstance(part, Stream) and part.shape[0] != part.channels:
            raise UnsupportedOp(
                f"{subject}: a constant of shape {constant.shape} behind "
                f"{part.moves[-1].name!r}, which mixes channels; only one value per tensor is "
                "compiled there"
            )
    return uniform(column)


def join(a: Stream, b: Stream) -> tuple[Step, ...] | None:
    """The steps of both, in order of the file; None unless both come from one node alike."""
    if a.node != b.node or a.moves != b.moves or not np.array_equal(a.view, b.view):
        return None
    steps = {s.order: s for s in (*a.steps, *b.steps)}
    return tuple(steps[k] for k in sorted(steps))


def append(stream: Stream, step: Step) -> Stream:
    """`stream` behind one more step."""
    return replace(stream, steps=(*stream.steps, step), tensor=step.node.output[0])


def move(stream: Stream, order: int, node: onnx.NodeProto, op: Move, view: Ints) -> Stream:
    """`stream` behind a move. A move returns its arguments, so single values find the function."""
    same = onnx.helper.make_node("Identity", [stream.tensor], [node.output[0]], node.name)
    moved = append(stream, Step(order, node.name, same, {}, view))
    kind = IntType(shape=stream.shape, bits=1, signed=False)
    shape = op.op.infer(kind).shape
    return replace(moved, moves=(*stream.moves, op), shape=shape, view=view)


def evaluator(stream: Stream, opset: int, tensor: str | None = None) -> Function:
    """The function from integers (M, C) of the IR node to reals (M, C) of `tensor`.

    As QONNX computes it in float32, except that the first product, integer times scale, is
    rounded once: an exact integer accumulator stands where ONNX rounds each partial sum; and
    except for the functions in `TRANSCENDENTAL`.
    """
    wanted = stream.tensor if tensor is None else tensor
    subject = f"element-wise nodes {stream.step_names}"
    session = None
    if wanted != ROOT:
        shape: list[str | int | None] = ["M", stream.channels]
        kind = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [
                node
                for step in stream.steps
                for node in (
                    in_float64(step.node) if step.node.op_type in TRANSCENDENTAL else [step.node]
                )
            ],
            "chain",
            [onnx.helper.make_tensor_value_info(ROOT, kind, shape)],
            [onnx.helper.make_tensor_value_info(wanted, kind, None)],
            [
                onnx.numpy_helper.from_array(np.asarray(value), name)
                for step in stream.steps
                for name, value in step.constants.items()
            ],
        )
        session = open_session(graph, opset, subject)

    def evaluate(integers: Ints | Floats) -> Floats:
        if stream.type is None:
            reals = np.asarray(integers, np.float32)
        else:
            reals = (integers * stream.scale).astype(np.float32)
        if session is None:
            return reals
        result = run_session(session, {ROOT: np.ascontiguousarray(reals)}, subject)
        return np.broadcast_to(np.asarray(result, np.float32), reals.shape)

    return evaluate
