"""Element-wise nodes, kept as they are for the search of thresholds; free changes of shape."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from bitfold.compiler.reading.constants import Constant, fold
from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import ROOT, Floats, Step, Stream, join, per_channel
from bitfold.errors import ModelError, UnsupportedOp

UNARY = (
    *("Abs", "Ceil", "Celu", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish"),
    *("LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign"),
    *("Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu"),
)
WITH_CONSTANT = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "PRelu")
ELEMENTWISE = (*UNARY, *WITH_CONSTANT, "Clip", "BatchNormalization")
FREE = ("Identity", "Dropout", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")


def apply_elementwise(
    node: onnx.NodeProto, inputs: Sequence[Stream | Constant | None], order: int
) -> Stream:
    """The stream behind an element-wise node.

    Raises: UnsupportedOp when two different runtime tensors meet, or a constant differs within a
    channel; ModelError when a constant does not fit or is not finite.
    """
    subject = f"node {node.name!r} ({node.op_type})"
    streams = [i for i in inputs if isinstance(i, Stream)]
    stream = _common(subject, streams)
    names: list[str] = []
    constants: dict[str, Floats] = {}
    for index, each in enumerate(inputs):
        if isinstance(each, Stream):
            names.append(each.tensor)
        elif each is None:
            names.append("")
        else:
            names.append(f"%{node.output[0]}.{index}")
            constants[names[-1]] = _constant(node, stream, each, index, subject)
    if node.op_type == "BatchNormalization" and attributes(node).get("training_mode", 0):
        raise UnsupportedOp(f"{subject}: in training mode; export the model in eval mode")
    bare = onnx.helper.make_node(node.op_type, names, [node.output[0]], node.name)
    bare.attribute.extend(node.attribute)
    step = Step(order, node.name, bare, constants)
    return replace(stream, steps=(*stream.steps, step), tensor=node.output[0])


def _common(subject: str, streams: Sequence[Stream]) -> Stream:
    """The one stream, or several joined; each must come from the same IR node."""
    joined = streams[0]
    for other in streams[1:]:
        steps = join(joined, other)
        if steps is None:
            raise UnsupportedOp(f"{subject}: {_why_not_joined(joined, other)}")
        joined = replace(joined, steps=steps)
    return joined


def _why_not_joined(a: Stream, b: Stream) -> str:
    names = f"{a.node or 'the input'!r} and {b.node or 'the input'!r}"
    if a.tensor == b.tensor == ROOT and a.type and b.type and not np.array_equal(a.scale, b.scale):
        return (
            f"joins {names}, whose scales differ ({_scale(a)} and {_scale(b)}); operands need one "
            "common scale. Give both branches one shared quantiser"
        )
    return f"joins {names}; only chains are compiled, not branches. Remove the skip connection"


def _scale(stream: Stream) -> str:
    first = f"{stream.scale.reshape(-1)[0]:g}"
    return first if stream.scale.size == 1 else f"{first}, ..."


def _constant(
    node: onnx.NodeProto, stream: Stream, constant: Constant, index: int, subject: str
) -> Floats:
    value = np.asarray(constant.value, np.float32)
    if node.op_type == "Clip":
        return value.reshape(())
    if not np.isfinite(value).all():
        raise ModelError(f"{subject}: input {index} holds NaN or infinity; train or export again")
    if node.op_type == "BatchNormalization":
        value = value.reshape(-1, *([1] * (stream.view.ndim - 2)))
        result = per_channel(stream, value, subject)
        return np.full(stream.channels, result) if result.ndim == 0 else result
    return per_channel(stream, value, subject)


def change_shape(
    node: onnx.NodeProto, inputs: Sequence[Stream | Constant | None], opset: int
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
    return replace(stream, view=view)
