"""The QONNX graph itself on whole batches: the reference that compiled graphs are held against."""

from collections.abc import Mapping
from math import prod
from typing import Any, final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.constants import open_session, run_session
from bitfold.compiler.reading.layers import window_attributes
from bitfold.compiler.reading.load import QONNX
from bitfold.compiler.reading.quantiser import MAX_BIAS_BITS, attributes, parse_quantiser

Array = NDArray[Any]


@final
class Batched:
    """A model ready to be run on batches, tensor by tensor; sessions are made once.

    exact: layers multiply and sum in float64, with dequantised operands in float64, and round to
    float32 once. That is exact integer accumulation times the scale. Otherwise all is float32,
    as the nodes say.
    """

    def __init__(self, model: onnx.ModelProto, opset: int, exact: bool) -> None:
        self.model = model
        self.opset = opset
        self.exact = exact
        self._batch = _declared_batch(model)
        self._sessions: dict[tuple[Any, ...], Any] = {}

    def run(self, nodes: list[onnx.NodeProto], name: str, x: Array, wanted: str) -> Array:
        """Value of tensor `wanted` (N, ...) for the input `name` = x (N, ...) float32."""
        values: dict[str, Array] = {
            t.name: onnx.numpy_helper.to_array(t) for t in self.model.graph.initializer
        }
        values[name] = x
        runtime = {name}
        for node in nodes:
            moving = any(i in runtime for i in node.input) and node.op_type != "Shape"
            out = self._node(node, values, len(x))
            values.update(out)
            if moving:
                runtime.update(out)
            if wanted in out:
                break
        return values[wanted].astype(np.float32)

    def _node(self, node: onnx.NodeProto, values: Mapping[str, Array], n: int) -> dict[str, Array]:
        inputs = [values[i] if i else None for i in node.input]
        out = node.output[0]
        given = [i for i in inputs if i is not None]
        if node.domain == QONNX:
            quantiser = parse_quantiser(node, given[1:], most_bits=MAX_BIAS_BITS)
            codes = quantiser.codes(given[0].astype(np.float32))
            if self.exact:
                return {out: codes.astype(np.float64) * quantiser.scale.astype(np.float64)}
            return {out: codes * quantiser.scale}
        if self.exact and node.op_type in ("MatMul", "Gemm", "Conv"):
            return {out: _product(node, inputs)}
        if node.op_type not in ("MatMul", "Gemm", "Conv"):
            moves = ("Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Identity")
            keep = self.exact and node.op_type in (*moves, "Dropout")
            inputs = [
                i if keep or i is None or i.dtype != np.float64 else i.astype(np.float32)
                for i in inputs
            ]
        if node.op_type == "Reshape":
            return {out: _reshape(given[0], given[1], self._batch, n)}
        return {out: self._standard(node, inputs)}

    def _standard(self, node: onnx.NodeProto, inputs: list[Array | None]) -> Array:
        names = [f"i{k}" if v is not None else "" for k, v in enumerate(inputs)]
        feed = {k: v for k, v in zip(names, inputs, strict=True) if v is not None}
        key = (node.name, tuple((str(v.dtype), v.shape) for v in feed.values()))
        if key not in self._sessions:
            bare = onnx.helper.make_node(node.op_type, names, ["out"], node.name)
            bare.attribute.extend(node.attribute)
            declared = [
                onnx.helper.make_tensor_value_info(
                    k, onnx.helper.np_dtype_to_tensor_dtype(v.dtype), list(v.shape)
                )
                for k, v in feed.items()
            ]
            graph = onnx.helper.make_graph([bare], "n", declared, [onnx.ValueInfoProto(name="out")])
            self._sessions[key] = open_session(graph, self.opset, f"node {node.name!r}")
        return run_session(self._sessions[key], feed, f"node {node.name!r}")


def _declared_batch(model: onnx.ModelProto) -> int:
    known = {i.name for i in model.graph.initializer}
    value = next(i for i in model.graph.input if i.name not in known)
    return max(1, int(value.type.tensor_type.shape.dim[0].dim_value))


def _reshape(x: Array, shape: Array, declared: int, n: int) -> Array:
    """A shape written for the declared batch, applied to a batch of n."""
    if x.size == 0 or len(x) != n:
        return x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(shape.tolist())])
    target = [x.shape[i] if d == 0 else d for i, d in enumerate(shape.tolist())]
    sample = x.size // n
    if -1 in target[1:]:
        known = prod(d for d in target[1:] if d != -1)
        target[1 + target[1:].index(-1)] = sample // known
    return x.reshape(n, *target[1:])


def _product(node: onnx.NodeProto, inputs: list[Array | None]) -> Array:
    """MatMul, Gemm or Conv in float64, rounded once; then the bias in float32."""
    x, w = (np.asarray(i, np.float64) for i in inputs[:2])
    given = attributes(node)
    if node.op_type == "Conv":
        kernel = (w.shape[2], w.shape[3])
        stride, (top, left, bottom, right) = window_attributes(
            node.name, given, x.shape[1:], kernel
        )
        padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
        view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
        windows = view[:, :, :: stride[0], :: stride[1]]
        y = np.einsum("nchwij,ocij->nohw", windows, w, optimize=True)
    else:
        y = x @ (w.T if given.get("transB", 0) else w)
    rounded = np.asarray(y, np.float32)
    bias = inputs[2] if len(inputs) > 2 else None
    if bias is None:
        return rounded
    return rounded + bias.astype(np.float32).reshape(1, -1, *([1] * (y.ndim - 2)))
