"""The QONNX graph itself on whole batches: the reference that compiled graphs are held against."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.constants import open_session, run_session
from bitfold.compiler.reading.load import QONNX
from bitfold.compiler.reading.quantiser import MAX_BIAS_BITS, Ties, attributes, parse_quantiser
from bitfold.compiler.reading.transcendental import TRANSCENDENTAL, in_float64
from bitfold.compiler.reading.truncation import parse_truncation
from bitfold.compiler.reading.windows import dilation_of, over_two_axes, pair, window_attributes
from bitfold.ir.ops.window import Pads, Pair, extent

Array = NDArray[Any]


LAYERS = ("MatMul", "Gemm", "Conv")
MEANS = ("AveragePool", "GlobalAveragePool", "ReduceMean")
MOVES = (
    *("Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"),
    *("DepthToSpace", "Pad", "Resize", "Upsample", "Concat", "MaxPool", "Relu"),
)
SUMS = ("Add", "Sub", "Sum")


@final
class Batched:
    """A model ready to be run on batches, tensor by tensor; sessions are made once.

    exact: layers, means and sums of quantised tensors, or of layers, compute in float64 on
    dequantised operands in float64, and round to float32 once (a mean before it divides). That is
    exact integer accumulation times the scale; what only moves or selects values keeps float64, and
    the functions in `TRANSCENDENTAL` are those of float64. Otherwise all is float32, as the nodes
    say.
    ties: of quantisers behind the input, see `read_qonnx`.
    """

    def __init__(
        self, model: onnx.ModelProto, opset: int, exact: bool, ties: Ties = "even"
    ) -> None:
        self.model = model
        self.opset = opset
        self.exact = exact
        self.ties: Ties = ties
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
            # A shape does not depend on what the tensor holds.
            moving = [i in runtime and node.op_type != "Shape" for i in node.input if i]
            out = self._node(node, values, moving, len(x))
            values.update(out)
            if any(moving):
                runtime.update(out)
            if wanted in out:
                break
        return values[wanted].astype(np.float32)

    def _node(
        self, node: onnx.NodeProto, values: Mapping[str, Array], moving: list[bool], n: int
    ) -> dict[str, Array]:
        inputs = [values[i] if i else None for i in node.input]
        out = node.output[0]
        given = [i for i in inputs if i is not None]
        if node.domain == QONNX:
            return {out: self._quantised(node, given, any(moving))}
        if self.exact and node.op_type in LAYERS:
            return {out: _product(node, inputs)}
        if self.exact and node.op_type in MEANS and any(moving):
            return {out: _mean(node, inputs)}
        kept = node.op_type in MOVES or (node.op_type in SUMS and all(moving))
        wide = [i.dtype == np.float64 for i, moves in zip(given, moving, strict=True) if moves]
        if node.op_type not in LAYERS:
            # A node takes one type of reals: its constants follow.
            width = np.float64 if self.exact and kept and wide and all(wide) else np.float32
            if self.exact and any(moving) and node.op_type in TRANSCENDENTAL:
                return {out: self._standard(node, [i.astype(np.float32) for i in given], True)}
            inputs = [i if i is None or i.dtype.kind != "f" else i.astype(width) for i in inputs]
            given = [i for i in inputs if i is not None]
        if node.op_type == "Reshape":
            return {out: _reshape(given[0], given[1], self._batch, n)}
        if node.op_type in ("Resize", "Upsample"):
            return {out: self._resized(node, inputs)}
        return {out: self._standard(node, inputs)}

    def _quantised(self, node: onnx.NodeProto, given: list[Array], moving: bool) -> Array:
        ties: Ties = self.ties if moving else "even"
        if node.op_type == "Trunc":
            quantiser = parse_truncation(node, given[1:])
        else:
            quantiser = parse_quantiser(node, given[1:], most_bits=MAX_BIAS_BITS, ties=ties)
        codes = quantiser.codes(given[0].astype(np.float32))
        if self.exact:
            return np.asarray(codes.astype(np.float64) * quantiser.scale.astype(np.float64))
        return np.asarray(codes * quantiser.scale)

    def _resized(self, node: onnx.NodeProto, inputs: list[Array | None]) -> Array:
        """Values taken from where the pixels' numbers come from: for any batch, in any type."""
        x = inputs[0]
        assert x is not None
        rest = [i if i is None or i.dtype.kind != "f" else i.astype(np.float32) for i in inputs[1:]]
        pixels = np.arange(x[0, 0].size, dtype=np.float32).reshape(x.shape[2:])
        numbers = np.ascontiguousarray(np.broadcast_to(pixels, (self._batch, *x.shape[1:])))
        sources = self._standard(node, [numbers, *rest])[0, 0].astype(np.int64)
        flat = x.reshape(*x.shape[:2], -1)[:, :, sources.reshape(-1)]
        return flat.reshape(*x.shape[:2], *sources.shape)

    def _standard(
        self, node: onnx.NodeProto, inputs: Sequence[Array | None], wide: bool = False
    ) -> Array:
        """A node by onnxruntime; `wide`: a function of `TRANSCENDENTAL` in float64."""
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
            nodes = in_float64(bare) if wide else [bare]
            graph = onnx.helper.make_graph(nodes, "n", declared, [onnx.ValueInfoProto(name="out")])
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
    """MatMul, Gemm or Conv in float64, which a sum keeps; rounded to float32 in front of a bias."""
    x, w = (np.asarray(i, np.float64) for i in inputs[:2])
    given = attributes(node)
    if node.op_type == "Conv":
        y = _convolved(node.name, given, x, w)
    else:
        y = x @ (w.T if given.get("transB", 0) else w)
    bias = inputs[2] if len(inputs) > 2 else None
    if bias is None:
        return np.asarray(y)
    bias = bias.astype(np.float32)
    if node.op_type == "Conv":
        bias = bias.reshape(1, -1, *([1] * (y.ndim - 2)))
    return np.asarray(y.astype(np.float32) + bias)


def _convolved(name: str, given: dict[str, Any], x: Array, w: Array) -> Array:
    """Convolution over one or two axes, tap by tap."""
    if w.ndim == 3:
        wide = over_two_axes(given)
        return np.asarray(_convolved(name, wide, x[:, :, None], w[:, :, None])[:, :, 0])
    kernel, groups = (w.shape[2], w.shape[3]), given.get("group", 1)
    dilation = dilation_of(name, given)
    stride, pads = window_attributes(name, given, x.shape[1:], kernel, dilation)
    windows = _windows(x, kernel, stride, pads, dilation)
    parts = windows.reshape(len(x), groups, x.shape[1] // groups, *windows.shape[2:])
    weights = w.reshape(groups, len(w) // groups, *w.shape[1:])
    y: Array = np.zeros((len(x), groups, len(w) // groups, *windows.shape[2:4]))
    for i, j in np.ndindex(*kernel):
        y += np.einsum("ngchw,goc->ngohw", parts[..., i, j], weights[..., i, j], optimize=True)
    return y.reshape(len(x), len(w), *y.shape[3:])


def _windows(x: Array, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Array:
    """(N, C, H, W) -> (N, C, OH, OW, KH, KW), zeros outside."""
    top, left, bottom, right = pads
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    span = extent(kernel, dilation)
    view = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def _mean(node: onnx.NodeProto, inputs: list[Array | None]) -> Array:
    """A sum in float64, rounded once, and divided in float32."""
    x = np.asarray(inputs[0], np.float64)
    given = attributes(node)
    if node.op_type == "AveragePool":
        one = x.ndim == 3
        wide, over = (x[:, :, None], over_two_axes(given)) if one else (x, given)
        kernel = pair(node.name, over["kernel_shape"])
        stride, pads = window_attributes(node.name, over, wide.shape[1:], kernel)
        total = _windows(wide, kernel, stride, pads, (1, 1)).sum((4, 5))
        total = total[:, :, 0] if one else total
        count = kernel[0] * kernel[1]
    else:
        listed = given.get("axes", range(2, x.ndim))
        if len(inputs) > 1 and inputs[1] is not None:
            listed = inputs[1].reshape(-1).tolist()
        axes = tuple(int(a) % x.ndim for a in listed)
        total = x.sum(axes, keepdims=bool(given.get("keepdims", 1)))
        count = prod(x.shape[a] for a in axes)
    return np.asarray(total.astype(np.float32) / np.float32(count))
