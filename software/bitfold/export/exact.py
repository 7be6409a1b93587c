"""A QONNX graph of ours in float64, where rounding does not move values over a level's edge.

In float32 two right evaluations of a deep network may differ: sums in another order, rounded to the
other side of an edge between two levels. In float64 they agree, unless they compute different
things. Only the operations that our exporter writes are here.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import ModelProto
from torch import Tensor
from torch.nn import functional

from bitfold.errors import UnsupportedOp

Doubles = npt.NDArray[np.float64]
Attributes = Mapping[str, Any]


def run_exact(model: ModelProto, x: npt.NDArray[np.float32]) -> Doubles:
    """Outputs (N, classes) for x (N, C, H, W). Raises: UnsupportedOp."""
    graph = model.graph
    values: dict[str, Tensor] = {
        t.name: _tensor(onnx.numpy_helper.to_array(t)) for t in graph.initializer
    }
    values[graph.input[0].name] = torch.from_numpy(x).double()
    for node in graph.node:
        if node.op_type not in _OPS:
            raise UnsupportedOp(f"node {node.name!r} ({node.op_type}): not evaluated in float64")
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] for name in node.input if name]
        values[node.output[0]] = _OPS[node.op_type](inputs, given)
    result: Doubles = values[graph.output[0].name].numpy()
    return result


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(np.array(array))
    return tensor.double() if tensor.is_floating_point() else tensor


def _quant(inputs: list[Tensor], given: Attributes) -> Tensor:
    x, scale, zero, bits = inputs
    signed, narrow = given["signed"], given["narrow"]
    assert given["rounding_mode"] == b"ROUND", given
    half = 2.0 ** (bits - 1)
    low = -half + narrow if signed else torch.zeros_like(half)
    high = half - 1 if signed else 2 * half - 1 - narrow
    codes = (x / scale + zero).clamp(low, high).round()
    return (codes - zero) * scale


def _conv(inputs: list[Tensor], given: Attributes) -> Tensor:
    top, left, bottom, right = given["pads"]
    x = functional.pad(inputs[0], (left, right, top, bottom))
    bias = inputs[2] if len(inputs) > 2 else None
    stride, dilation = tuple(given["strides"]), tuple(given["dilations"])
    return functional.conv2d(x, inputs[1], bias, stride, 0, dilation, given["group"])


def _norm(inputs: list[Tensor], given: Attributes) -> Tensor:
    x, weight, bias, mean, variance = inputs
    return functional.batch_norm(x, mean, variance, weight, bias, eps=given["epsilon"])


def _max_pool(inputs: list[Tensor], given: Attributes) -> Tensor:
    top, left, bottom, right = given["pads"]
    x = functional.pad(inputs[0], (left, right, top, bottom), value=-float("inf"))
    return functional.max_pool2d(x, tuple(given["kernel_shape"]), tuple(given["strides"]))


def _pad(inputs: list[Tensor], given: Attributes) -> Tensor:
    ends = inputs[1].reshape(2, -1).T.flip(0).reshape(-1).tolist()
    fill = inputs[2].item() if len(inputs) > 2 else 0.0
    return functional.pad(inputs[0], ends, value=fill)


def _gemm(inputs: list[Tensor], given: Attributes) -> Tensor:
    assert given["transB"] == 1, given
    return functional.linear(*inputs)


def _clip(inputs: list[Tensor], given: Attributes) -> Tensor:
    return inputs[0].clamp(*(given[k] for k in ("min", "max") if k in given), *inputs[1:])


_OPS: Mapping[str, Callable[[list[Tensor], Attributes], Tensor]] = {
    "Add": lambda i, a: i[0] + i[1],
    "BatchNormalization": _norm,
    "BipolarQuant": lambda i, a: torch.where(i[0] >= 0, i[1], -i[1]),
    "Clip": _clip,
    "Conv": _conv,
    "Flatten": lambda i, a: i[0].flatten(1),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda i, a: i[0].mean((2, 3), keepdim=True),
    "MatMul": lambda i, a: i[0] @ i[1],
    "MaxPool": _max_pool,
    "Mul": lambda i, a: i[0] * i[1],
    "Pad": _pad,
    "Quant": _quant,
    "Relu": lambda i, a: i[0].relu(),
    "Transpose": lambda i, a: i[0].permute(a["perm"]),
}
