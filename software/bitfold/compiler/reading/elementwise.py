"""Element-wise nodes, kept as they are for the search of thresholds; free changes of shape."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from bitfold.compiler.reading.constants import Constant, fold
from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import (
    ROOT,
    Cat,
    Fill,
    Floats,
    Runtime,
    Step,
    Stream,
    append,
    evaluator,
    join,
    per_channel,
    uniform,
)
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.types import Ints

UNARY = (
    *("Abs", "Ceil", "Celu", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish"),
    *("LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign"),
    *("Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu"),
)
WITH_CONSTANT = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "PRelu")
ELEMENTWISE = (*UNARY, *WITH_CONSTANT, "Clip", "BatchNormalization")
FREE = ("Identity", "Dropout", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")


def apply_elementwise(
    node: onnx.NodeProto, inputs: Sequence[Runtime | Constant | None], order: int, opset: int
) -> Runtime:
    """What stands behind an element-wise node; of a concatenation, each part for itself.

    Raises: UnsupportedOp when two different runtime tensors meet, or a constant differs within a
    channel; ModelError when a constant does not fit or is not finite.
    """
    subject = f"node {node.name!r} ({node.op_type})"
    if node.op_type == "BatchNormalization" and attributes(node).get("training_mode", 0):
        raise UnsupportedOp(f"{subject}: in training mode; export the model in eval mode")
    runtime = [i for i in inputs if isinstance(i, Runtime)]
    x = runtime[0] if len(runtime) == 1 else _common(subject, runtime)
    constants = {
        index: _constant(node, x, each, index, subject)
        for index, each in enumerate(inputs)
        if isinstance(each, Constant)
    }
    if isinstance(x, Stream):
        names = {i: each.tensor for i, each in enumerate(inputs) if isinstance(each, Stream)}
        return append(x, _step(node, order, names, constants, x.view))
    (at,) = (i for i, each in enumerate(inputs) if isinstance(each, Cat))
    parts: list[Stream | Fill] = []
    first = 0
    for part in x.parts:
        last = first + part.shape[0]
        own = {i: _of_part(node, c, part, first, last) for i, c in constants.items()}
        step = _step(
            node, order, {at: part.tensor if isinstance(part, Stream) else ROOT}, own, x.view
        )
        parts.append(append(part, step) if isinstance(part, Stream) else _filled(part, step, opset))
        first = last
    return replace(x, parts=tuple(parts))


def _step(
    node: onnx.NodeProto,
    order: int,
    names: dict[int, str],
    constants: dict[int, Floats],
    view: Ints,
) -> Step:
    """The node with `names` for its runtime inputs and names of its own for the constants."""
    own = {index: f"%{node.output[0]}.{index}" for index in constants}
    inputs = [names.get(i, own.get(i, "")) for i in range(len(node.input))]
    bare = onnx.helper.make_node(node.op_type, inputs, [node.output[0]], node.name)
    bare.attribute.extend(node.attribute)
    return Step(order, node.name, bare, {own[i]: c for i, c in constants.items()}, view)


def _of_part(
    node: onnx.NodeProto, constant: Floats, part: Stream | Fill, first: int, last: int
) -> Floats:
    """The constant of channels `first` to `last` - 1, as the integers of `part` take it."""
    own = uniform(constant[first:last]) if constant.ndim else constant
    if node.op_type != "BatchNormalization" or own.ndim:
        return own
    return np.full(part.channels if isinstance(part, Stream) else part.shape[0], own)


def _filled(part: Fill, step: Step, opset: int) -> Fill:
    """Constant channels behind an element-wise node."""
    alone = Stream("", None, part.shape, np.ones(()), np.empty(0, np.int64), "")
    return replace(part, values=evaluator(append(alone, step), opset)(part.values[None])[0])


def _common(subject: str, runtime: Sequence[Runtime]) -> Stream:
    """Several streams joined; each must come from the same IR node."""
    joined = runtime[0]
    assert isinstance(joined, Stream)
    for other in runtime[1:]:
        steps = join(joined, other) if isinstance(other, Stream) else None
        if steps is None:
            raise UnsupportedOp(
                f"{subject}: joins two runtime tensors; only Add, Sub, Sum and Concat do. Replace "
                "it, or leave it to the host behind the network's output"
            )
        joined = replace(joined, steps=steps)
    return joined


def _constant(
    node: onnx.NodeProto, stream: Runtime, constant: Constant, index: int, subject: str
) -> Floats:
    value = np.asarray(constant.value, np.float32)
    if node.op_type == "Clip":
        if value.size != 1:
            raise ModelError(
                f"{subject}: input {index} has {value.size} values; a bound is one number"
            )
        return value.reshape(())
    if not np.isfinite(value).all():
        raise ModelError(f"{subject}: input {index} holds NaN or infinity; train or export again")
    if node.op_type == "BatchNormalization":
        value = value.reshape(-1, *([1] * (stream.view.ndim - 2)))
        result = per_channel(stream, value, subject)
        return np.full(stream.channels, result) if result.ndim == 0 else result
    return per_channel(stream, value, subject)


def change_shape(
    node: onnx.NodeProto, inputs: Sequence[Runtime | Constant | None], opset: int
) -> Stream:
    """The stream behind a node that moves no data between samples; its view follows.

    Raises: UnsupportedOp when the batch axis does not stay first.
    """
    stream = inputs[0]
    assert isinstance(stream, Stream)
    if node.op_type in ("Identity", "Dropout"):
        return stream
    subject = f"node {node.name!r} ({node.op_type})"
    if not all(isinstance(i, Constant) for i in inputs[1:]):
        raise UnsupportedOp(f"{subject}: the new shape must be a constant")
    arguments = [i for i in inputs[1:] if isinstance(i, Constant)]
    view = fold(node, [Constant(stream.view), *arguments], opset).value
    batch, size = len(stream.view), stream.view[0].size
    whole = view.ndim >= 2 and len(view) == batch
    if (
        not whole
        or (view - view[:1] != (np.arange(batch) * size).reshape(-1, *[1] * (view.ndim - 1))).any()
    ):
        raise UnsupportedOp(
            f"{subject}: makes shape {view.shape} of {stream.view.shape} and so mixes samples; "
            "the first axis must stay the batch. Export with batch size 1"
        )
    origin = stream.view if stream.origin is None else stream.origin
    return replace(stream, view=view, origin=origin)
