"""Conv, Gemm and MatMul nodes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.codes import with_zero
from bitfold.compiler.reading.constants import Constant
from bitfold.compiler.reading.elementwise import apply_elementwise
from bitfold.compiler.reading.quantiser import MAX_BITS, attributes
from bitfold.compiler.reading.stream import ROOT, Runtime, Stream, fresh_view
from bitfold.compiler.reading.windows import (
    NotAMap,
    added,
    dilation_of,
    over_two_axes,
    unpadded,
    window_attributes,
)
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.ops import Conv, Dense, Weights

Inputs = Sequence[Runtime | Constant | None]


def read_conv(
    node: onnx.NodeProto, x: Stream, inputs: Inputs, builder: Builder, order: int
) -> Stream:
    """A convolution over integers `x`, of one or two axes; a bias becomes an element-wise step."""
    subject = f"node {node.name!r} (Conv)"
    given = attributes(node)
    values, w_scale, bits, bipolar = _weights(subject, inputs[1], axis=0)
    axes = values.ndim - 2
    if axes not in (1, 2):
        raise UnsupportedOp(
            f"{subject}: weights of shape {values.shape}; convolutions over one or two axes are "
            "compiled"
        )
    if x.map_axes() != axes:
        raise NotAMap(subject, x, builder)
    if tuple(given.get("kernel_shape", values.shape[2:])) != values.shape[2:]:
        raise ModelError(f"{subject}: kernel_shape {given['kernel_shape']}, weights {values.shape}")
    if axes == 1:
        values = values[:, :, None]
        given = over_two_axes(given)
    kernel = (values.shape[2], values.shape[3])
    groups = int(given.get("group", 1))
    if groups < 1 or values.shape[1] * groups != x.shape[0] or len(values) % groups:
        raise ModelError(
            f"{subject}: weights {values.shape} in {groups} groups do not fit an input "
            f"{x.view.shape}"
        )
    source, extra = unpadded(x.node, builder)
    dilation = dilation_of(subject, given)
    stride, pads = window_attributes(subject, given, x.shape, kernel, dilation)
    pads = added(pads, extra)
    if any(pads):
        x = with_zero(x, builder)  # padding is 0, which bipolar activations lack
        source = unpadded(x.node, builder)[0]
    scale = _input_scale(subject, x, groups).repeat(len(values) // groups) * w_scale
    op = Conv(source, Weights(values, bits, bipolar), stride, pads, groups, dilation)
    name = builder.add(node.name, op)
    acc = _accumulator(builder, name, x, scale, node)
    if axes == 1:
        acc = replace(acc, view=acc.view[:, :, 0])
    return _with_bias(node, acc, inputs[2:], order, builder.opset)


def _input_scale(subject: str, x: Stream, groups: int) -> NDArray[np.float64]:
    """The scale of each group's channels (groups,); they must share one."""
    rows = np.broadcast_to(x.scale, (x.shape[0],)).reshape(groups, -1)
    if (rows != rows[:, :1]).any():
        raise UnsupportedOp(
            f"{subject}: its input {x.node!r} has one scale per channel; activations need one "
            "scale per tensor, but in front of a depthwise convolution. Quantise activations per "
            "tensor"
        )
    return rows[:, 0].copy()


def read_dense(
    node: onnx.NodeProto, x: Stream, inputs: Inputs, builder: Builder, order: int
) -> Stream:
    """Gemm, or MatMul with constant right operand, over integers `x`."""
    subject = f"node {node.name!r} ({node.op_type})"
    given = attributes(node)
    if given.get("alpha", 1.0) != 1.0 or given.get("beta", 1.0) != 1.0 or given.get("transA", 0):
        raise UnsupportedOp(f"{subject}: alpha and beta must be 1 and transA 0")
    axis = 0 if given.get("transB", 0) else 1
    values, w_scale, bits, bipolar = _weights(subject, inputs[1], axis)
    values = values if axis == 0 else np.ascontiguousarray(values.T)
    if values.ndim != 2 or x.view.ndim != 2 or values.shape[1] != x.view.shape[1]:
        raise UnsupportedOp(
            f"{subject}: multiplies {x.view.shape} by weights for {values.shape[1:]} inputs; a "
            "dense layer takes (batch, features). Flatten first"
        )
    # Column k of the file multiplies element view[k] of the IR value.
    ordered = np.empty_like(values)
    ordered[:, x.view[0]] = values
    scale = _input_scale(subject, x, 1) * w_scale
    dense = Dense(builder.flat(x.node), Weights(ordered, bits, bipolar))
    acc = _accumulator(builder, builder.add(node.name, dense), x, scale, node)
    return _with_bias(node, acc, inputs[2:], order, builder.opset)


def _weights(
    subject: str, weights: Runtime | Constant | None, axis: int
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
    if codes.ndim < 2 or not codes.size:
        raise ModelError(
            f"{subject}: weights of shape {codes.shape}; a matrix that is not empty was expected"
        )
    if codes.min() < quantiser.low or codes.max() > quantiser.high:
        raise ModelError(
            f"{subject}: weights from {codes.min()} to {codes.max()}, but {quantiser.name!r} says "
            f"that they lie in {quantiser.low}..{quantiser.high}; clip them with a Quant"
        )
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
    builder: Builder, name: str, x: Stream, scale: NDArray[np.float64], node: onnx.NodeProto
) -> Stream:
    """`scale` (O,): products of two float32 numbers, so that float64 holds them exactly."""
    kind = builder.types[name]
    scale = scale[0].reshape(()) if (scale == scale[0]).all() else scale
    view = fresh_view(len(x.view), kind.shape)
    return Stream(name, kind, kind.shape, scale, view, source=node.output[0], tensor=ROOT)


def _with_bias(node: onnx.NodeProto, acc: Stream, bias: Inputs, order: int, opset: int) -> Stream:
    if not bias or bias[0] is None:
        return acc
    subject = f"node {node.name!r} ({node.op_type})"
    if not isinstance(bias[0], Constant):
        raise UnsupportedOp(f"{subject}: its bias must be a constant, not a runtime tensor")
    value = np.asarray(bias[0].value, np.float32)
    if value.size != 1 and (value.size != acc.channels or value.shape[-1] != acc.channels):
        raise ModelError(f"{subject}: bias of shape {value.shape} for {acc.channels} outputs")
    value = value.reshape(1, -1, *([1] * (acc.view.ndim - 2)))
    add = onnx.helper.make_node("Add", ["", ""], [node.output[0]], node.name)
    biased = apply_elementwise(add, (acc, Constant(value)), order, opset)
    assert isinstance(biased, Stream)
    return biased
