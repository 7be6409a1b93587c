"""Conv, Gemm, MatMul and MaxPool nodes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import Constant
from bitfold.compiler.reading.elementwise import apply_elementwise
from bitfold.compiler.reading.quantiser import MAX_BITS, attributes
from bitfold.compiler.reading.stream import ROOT, Pool, Step, Stream, fresh_view
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Conv, Dense, Flatten, Weights
from bitfold.ir.ops.window import window_count

Inputs = Sequence[Stream | Constant | None]


def read_conv(
    node: onnx.NodeProto, x: Stream, inputs: Inputs, builder: Builder, order: int
) -> Stream:
    """A convolution over integers `x`; a bias becomes an element-wise step."""
    subject = f"node {node.name!r} (Conv)"
    given = attributes(node)
    values, scale, bits, bipolar = _weights(subject, inputs[1], axis=0)
    if values.ndim != 4:
        raise UnsupportedOp(
            f"{subject}: weights of shape {values.shape}; only two-dimensional convolutions are "
            "compiled. Add an axis of length 1 to a one-dimensional one"
        )
    if given.get("group", 1) != 1:
        raise UnsupportedOp(
            f"{subject}: group = {given['group']} (depthwise or grouped); only group = 1 is "
            "compiled. Use a full convolution"
        )
    if any(d != 1 for d in given.get("dilations", ())):
        raise UnsupportedOp(f"{subject}: dilations {given['dilations']}; only 1 is compiled")
    kernel = (values.shape[2], values.shape[3])
    if tuple(given.get("kernel_shape", kernel)) != kernel:
        raise ModelError(f"{subject}: kernel_shape {given['kernel_shape']}, weights {values.shape}")
    if len(x.shape) != 3 or not x.in_order():
        raise UnsupportedOp(
            f"{subject}: its input {x.view.shape} is not the channels-first map that "
            f"{x.node!r} makes ({x.shape}); export channels-first, without transpositions"
        )
    if values.shape[1] != x.shape[0]:
        raise ModelError(f"{subject}: weights {values.shape} do not fit an input {x.view.shape}")
    stride, pads = window_attributes(subject, given, x.shape, kernel)
    assert x.type is not None
    if any(pads) and x.type.bipolar:
        raise UnsupportedOp(
            f"{subject}: pads {list(pads)} on bipolar (-1, +1) activations, which have no zero. "
            "Use padding 0, or a quantiser with a zero (2 bits signed, or unsigned)"
        )
    builder.read(x.node, node.name)
    name = builder.add(node.name, Conv(x.node, Weights(values, bits, bipolar), stride, pads))
    return _with_bias(node, _accumulator(builder, name, x, scale, node), inputs[2:], order)


def read_dense(
    node: onnx.NodeProto, x: Stream, inputs: Inputs, builder: Builder, order: int
) -> Stream:
    """Gemm, or MatMul with constant right operand, over integers `x`."""
    subject = f"node {node.name!r} ({node.op_type})"
    given = attributes(node)
    if given.get("alpha", 1.0) != 1.0 or given.get("beta", 1.0) != 1.0 or given.get("transA", 0):
        raise UnsupportedOp(f"{subject}: alpha and beta must be 1 and transA 0")
    axis = 0 if given.get("transB", 0) else 1
    values, scale, bits, bipolar = _weights(subject, inputs[1], axis)
    values = values if axis == 0 else np.ascontiguousarray(values.T)
    if values.ndim != 2 or x.view.ndim != 2 or values.shape[1] != x.view.shape[1]:
        raise UnsupportedOp(
            f"{subject}: multiplies {x.view.shape} by weights for {values.shape[1:]} inputs; a "
            "dense layer takes (batch, features). Flatten first"
        )
    # Column k of the file multiplies element view[k] of the IR value.
    ordered = np.empty_like(values)
    ordered[:, x.view[0]] = values
    builder.read(x.node, node.name)
    source = x.node
    if len(x.shape) > 1:
        source = builder.add(f"{node.name}_flatten", Flatten(source))
    name = builder.add(node.name, Dense(source, Weights(ordered, bits, bipolar)))
    return _with_bias(node, _accumulator(builder, name, x, scale, node), inputs[2:], order)


def read_maxpool(node: onnx.NodeProto, x: Stream, order: int) -> Stream:
    """Max pooling at any place behind the input quantiser."""
    subject = f"node {node.name!r} ({node.op_type})"
    if len(x.shape) != 3 or not x.in_order():
        raise UnsupportedOp(
            f"{subject}: its input {x.view.shape} is not a channels-first map (N, C, H, W)"
        )
    given = attributes(node)
    if node.op_type == "GlobalMaxPool":
        given = {"kernel_shape": list(x.shape[1:])}
    if any(d != 1 for d in given.get("dilations", ())) or len(node.output) > 1:
        raise UnsupportedOp(f"{subject}: dilations and the index output are not compiled")
    kernel = _pair(subject, given.get("kernel_shape", ()))
    stride, pads = window_attributes(subject, given, x.shape, kernel)
    if max(pads[0], pads[2]) >= kernel[0] or max(pads[1], pads[3]) >= kernel[1]:
        raise UnsupportedOp(f"{subject}: pads {list(pads)} leave windows without an element")
    count = window_count(x.shape, kernel, stride, pads)
    if given.get("ceil_mode", 0) and any(
        (x.shape[1 + i] + pads[i] + pads[i + 2] - kernel[i]) % stride[i] for i in (0, 1)
    ):
        raise UnsupportedOp(f"{subject}: ceil_mode = 1 adds cut windows; use ceil_mode = 0")
    pool = Pool(node.name, x.tensor, kernel, stride, pads)
    out = node.output[0]
    # A pool returns one of its arguments, so that a function of it is found on single values.
    same = onnx.helper.make_node("Identity", [x.tensor], [out], node.name)
    shape = (x.shape[0], *count)
    return replace(
        x,
        shape=shape,
        view=fresh_view(len(x.view), shape),
        tensor=out,
        steps=(*x.steps, Step(order, node.name, same, {})),
        pools=(*x.pools, pool),
    )


def window_attributes(
    subject: str, given: dict[str, Any], shape: tuple[int, ...], kernel: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """Stride and explicit pads (top, left, bottom, right) of a window node."""
    stride = _pair(subject, given.get("strides", (1, 1)))
    auto = given.get("auto_pad", "NOTSET")
    pads = tuple(given.get("pads", (0, 0, 0, 0)))
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        needed = [
            max(0, (-(-shape[1 + i] // stride[i]) - 1) * stride[i] + kernel[i] - shape[1 + i])
            for i in (0, 1)
        ]
        less = [n // 2 if auto == "SAME_UPPER" else n - n // 2 for n in needed]
        pads = (*less, *(n - b for n, b in zip(needed, less, strict=True)))
    elif auto == "VALID":
        pads = (0, 0, 0, 0)
    if len(pads) != 4 or min(pads) < 0 or min(stride) < 1 or min(kernel) < 1:
        raise ModelError(f"{subject}: kernel {kernel}, strides {stride}, pads {pads} are not valid")
    whole = (pads[0], pads[1], pads[2], pads[3])
    if min(window_count(shape, kernel, stride, whole)) < 1:
        raise ModelError(f"{subject}: kernel {kernel} does not fit a map {shape} with pads {pads}")
    return stride, whole


def _pair(subject: str, values: Sequence[int]) -> tuple[int, int]:
    if len(values) != 2:
        raise UnsupportedOp(f"{subject}: {len(values)} window axes; only two are compiled")
    return int(values[0]), int(values[1])


def _weights(
    subject: str, weights: Stream | Constant | None, axis: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], int, bool]:
    """Integers (as in the file), scale per output () or (O,), declared bits, bipolar."""
    if not isinstance(weights, Constant):
        raise UnsupportedOp(f"{subject}: its weights must be a constant, not a runtime tensor")
    quantiser, codes, scales = weights.quantiser, weights.codes, weights.scale
    if quantiser is None or codes is None or scales is None:
        raise ModelError(
            f"{subject}: no Quant between the stored weights and the layer; quantise them and "
            "export QONNX again"
        )
    if quantiser.bits > MAX_BITS:
        raise UnsupportedOp(
            f"{subject}: weights of {quantiser.bits} bits ({quantiser.name!r}); at most {MAX_BITS}"
        )
    if codes.ndim < 2:
        raise ModelError(f"{subject}: weights of shape {codes.shape}; a matrix was expected")
    rows = np.moveaxis(scales, axis, 0).reshape(scales.shape[axis], -1)
    if (rows != rows[:, :1]).any():
        raise UnsupportedOp(
            f"{subject}: weight scale of {quantiser.name!r} differs within an output channel; "
            "use one scale per tensor or per output channel"
        )
    scale = rows[:, 0].copy()
    if (scale == scale[0]).all():
        scale = scale[0].reshape(())
    # The array unit multiplies two's complement weights; unsigned ones need a sign plane of 0.
    bits = quantiser.bits + (not quantiser.signed)
    return np.ascontiguousarray(codes), scale, bits, quantiser.bipolar


def _accumulator(
    builder: Builder, name: str, x: Stream, w_scale: NDArray[np.float64], node: onnx.NodeProto
) -> Stream:
    kind = builder.types[name]
    # Both factors are float32, so that the float64 product is exact.
    scale = np.asarray(x.scale.reshape(-1)[0] * w_scale)
    view = fresh_view(len(x.view), kind.shape)
    return Stream(name, kind, kind.shape, scale, view, source=node.output[0], tensor=ROOT)


def _with_bias(node: onnx.NodeProto, acc: Stream, bias: Inputs, order: int) -> Stream:
    if not bias or bias[0] is None:
        return acc
    subject = f"node {node.name!r} ({node.op_type})"
    if not isinstance(bias[0], Constant):
        raise UnsupportedOp(f"{subject}: its bias must be a constant, not a runtime tensor")
    value = np.asarray(bias[0].value, np.float32)
    if value.size not in (1, acc.channels):
        raise ModelError(f"{subject}: bias of shape {value.shape} for {acc.channels} outputs")
    value = value.reshape(1, -1, *([1] * (acc.view.ndim - 2)))
    add = onnx.helper.make_node("Add", ["", ""], [node.output[0]], node.name)
    return apply_elementwise(add, (acc, Constant(value)), order)
