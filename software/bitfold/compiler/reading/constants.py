"""Constant tensors, with the integers behind a quantised one, and the folding of small nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from bitfold.compiler.reading.load import one_line
from bitfold.compiler.reading.quantiser import Quantiser
from bitfold.errors import ModelError
from bitfold.ir.types import Ints

MAX_ELEMENTS = 1 << 26  # of a folded tensor; a few small nodes could ask for terabytes
BINARY = ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min")
SHAPE_ONLY = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity")
FOLDED = (
    *BINARY,
    *SHAPE_ONLY,
    *("Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Relu", "Clip", "Ceil", "Floor", "Round"),
    *("Cast", "Concat", "Gather", "Slice", "Shape"),
)


@final
@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor known at compile time; `codes` and `scale` (both of its shape) if quantised."""

    value: NDArray[Any]
    quantiser: Quantiser | None = None
    codes: Ints | None = None
    scale: NDArray[np.float64] | None = None


def quantised(quantiser: Quantiser, source: Constant) -> Constant:
    """The result of a quantiser on a constant."""
    real = np.asarray(source.value, np.float32)
    if not np.isfinite(real).all():
        bad = int((~np.isfinite(real)).sum())
        raise ModelError(
            f"node {quantiser.name!r}: {bad} of {real.size} quantised constants are NaN or "
            "infinite; training diverged, or the exporter wrote them wrongly"
        )
    try:
        scale = np.broadcast_to(quantiser.scale, real.shape)
    except ValueError:
        raise ModelError(
            f"node {quantiser.name!r}: scale of shape {quantiser.scale.shape} does not fit a "
            f"tensor of shape {real.shape}"
        ) from None
    codes = quantiser.codes(real)
    value = (codes * scale).astype(np.float32)
    return Constant(value, quantiser, codes.astype(np.int64), scale.astype(np.float64))


def fold(node: onnx.NodeProto, inputs: Sequence[Constant | None], opset: int) -> Constant:
    """Evaluate a node of `FOLDED` on constants (None: an optional input left out).

    Shape-only nodes keep the integers behind a quantised tensor.
    """
    values = [c.value for c in inputs if c is not None]
    _guard(node, values)
    result = Constant(_evaluate(node, inputs, opset))
    first = inputs[0]
    if first is None or first.codes is None or node.op_type not in SHAPE_ONLY:
        return result
    # int64 passes through shape operations of every operator set; float64 scales do too.
    codes = _evaluate(node, [Constant(first.codes), *inputs[1:]], opset)
    assert first.scale is not None
    scale = _evaluate(node, [Constant(np.ascontiguousarray(first.scale)), *inputs[1:]], opset)
    return Constant(result.value, first.quantiser, codes, scale)


def _guard(node: onnx.NodeProto, values: Sequence[NDArray[Any]]) -> None:
    """Refuse results far larger than any constant of a network."""
    try:
        if node.op_type == "Concat":
            size = sum(v.size for v in values)
        elif node.op_type == "Gather":
            size = values[0].size * max(1, values[1].size)
        else:
            broadcast = values if node.op_type in BINARY else values[:1]
            size = prod(np.broadcast_shapes(*(v.shape for v in broadcast)))
    except ValueError as error:
        raise ModelError(f"node {node.name!r} ({node.op_type}): {one_line(error)}") from None
    if size > MAX_ELEMENTS:
        raise ModelError(
            f"node {node.name!r} ({node.op_type}): would make a constant of {size} elements; "
            f"at most {MAX_ELEMENTS}"
        )


def _evaluate(node: onnx.NodeProto, inputs: Sequence[Constant | None], opset: int) -> NDArray[Any]:
    names = [f"i{k}" if c is not None else "" for k, c in enumerate(inputs)]
    bare = onnx.helper.make_node(node.op_type, names, ["out"], "fold")
    bare.attribute.extend(node.attribute)
    feed = {n: c.value for n, c in zip(names, inputs, strict=True) if c is not None}
    declared = [
        onnx.helper.make_tensor_value_info(
            n, onnx.helper.np_dtype_to_tensor_dtype(v.dtype), list(v.shape)
        )
        for n, v in feed.items()
    ]
    result = onnx.ValueInfoProto(name="out")
    graph = onnx.helper.make_graph([bare], "fold", declared, [result])
    session = open_session(graph, opset, f"node {node.name!r} ({node.op_type})")
    return run_session(session, feed, f"node {node.name!r} ({node.op_type})")


def open_session(graph: onnx.GraphProto, opset: int, subject: str) -> onnxruntime.InferenceSession:
    """A single-threaded session for a small graph of standard nodes."""
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Each node must round as it does on its own, which is how QONNX executes it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exception types share no public base
        raise ModelError(f"{subject}: onnxruntime refuses it: {one_line(error)}") from None


def run_session(
    session: onnxruntime.InferenceSession, feed: Mapping[str, NDArray[Any]], subject: str
) -> NDArray[Any]:
    """The session's only output."""
    try:
        (value,) = session.run(None, dict(feed))
    except Exception as error:  # as above
        raise ModelError(f"{subject}: onnxruntime fails: {one_line(error)}") from None
    return np.asarray(value)
