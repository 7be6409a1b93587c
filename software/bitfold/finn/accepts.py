"""What FINN would trip over in a QONNX file, said before FINN does.

Source of each rule: finn-plus 1.6.1 and upstream FINN (2024 to 2026), tried on files of Brevitas
0.13: layers that stay unmapped, stop the conversion, or compute something else without a word.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import onnx

from bitfold.finn.view import QUANTISERS, View, attribute

MOST_BITS = 8  # of activations; 255 thresholds a channel
# What FINN's conversion has a rule for, as far as Brevitas' exports need it.
KNOWN = frozenset(
    (
        *QUANTISERS,
        *("Trunc", "Conv", "MatMul", "Gemm", "Add", "Sub", "Mul", "Div", "BatchNormalization"),
        *("Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Flatten", "Reshape", "Transpose"),
        *(
            "Concat",
            "TopK",
            "ArgMax",
            "Softmax",
            "Upsample",
            "Resize",
            "Pad",
            "Identity",
            "Constant",
        ),
    )
)


_NOT_IN_INTEGERS = ("DepthToSpace",)
_ALONE = "networks with it run on bitfold's own accelerator (bitfold compile)"


@final
@dataclass(frozen=True)
class Finding:
    """A node that FINN will not take as it is: what is wrong, and what helps."""

    node: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        return f"node {self.node!r}: {self.rule}; {self.remedy}"


def findings(model: onnx.ModelProto) -> tuple[Finding, ...]:
    """Everything that FINN would stop at or get wrong, in the order of the nodes."""
    view = View(model.graph)
    return tuple(_found(view))


def left_behind(model: onnx.ModelProto) -> tuple[Finding, ...]:
    """Nodes whose scales FINN's default steps leave in front of layers, which then stay unmapped.

    Not refused: builds may have further steps, as FINN's examples have for residual networks.
    """
    view = View(model.graph)
    return tuple(_left_behind(view))


def _found(view: View) -> Iterator[Finding]:
    for node in view.graph.node:
        if set(node.output) <= view.fixed:
            continue
        if node.op_type not in KNOWN:
            yield Finding(
                node.name,
                f"FINN has no rule for {node.op_type}",
                _ALONE
                if node.op_type in _NOT_IN_INTEGERS
                else "--integers turns any monotone chain into thresholds",
            )
        elif node.op_type in _RULES:
            yield from _RULES[node.op_type](view, node)


def _left_behind(view: View) -> Iterator[Finding]:
    remedy = "--integers, or steps of your own in FINN's build"
    for node in view.graph.node:
        if set(node.output) <= view.fixed:
            continue
        readers = view.readers.get(node.output[0], [])
        scale = view.scale_behind(node.output[0])
        if len(readers) > 1 and (scale is None or np.any(scale != 1)):
            yield Finding(
                node.name, f"{len(readers)} nodes read it, and its scale stays before them", remedy
            )
        elif scale is not None and scale.size > 1 and any(r.op_type == "Conv" for r in readers):
            yield Finding(node.name, "its scales, one a channel, stay before a convolution", remedy)


def _quant(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    zero, bits = view.value(node, 2), view.value(node, 3)
    if zero is None or np.any(zero != 0):
        yield Finding(
            node.name, "its zero point is not 0", "train with a symmetric or unsigned quantiser"
        )
    if bits is not None and np.any(bits > MOST_BITS):
        yield Finding(
            node.name,
            f"{float(bits.max()):g} bits, FINN's thresholds have {MOST_BITS} at most",
            "lower the bits",
        )
    mode = str(attribute(node, "rounding_mode", "ROUND")).upper()
    if mode != "ROUND":
        yield Finding(
            node.name,
            f"rounding mode {mode}, which FINN reads as ROUND without a word",
            "--integers has the rounding in its thresholds",
        )


def _bipolar(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    scale = view.value(node, 1)
    if scale is None or np.any(scale != 1):
        yield Finding(
            node.name,
            "a bipolar activation whose scale is not 1",
            "--integers leaves scales out",
        )


def _trunc(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    mode = str(attribute(node, "rounding_mode", "FLOOR")).upper()
    if mode != "FLOOR":
        yield Finding(
            node.name,
            f"Trunc with rounding mode {mode}; FINN has FLOOR alone",
            "export with float_to_int_impl_type='floor', or --integers",
        )
    before = view.makers.get(node.input[0])
    if before is not None and before.op_type == "GlobalAveragePool":
        yield Finding(node.name, "Trunc behind GlobalAveragePool is left over", "--integers")


def _average(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    readers = view.readers.get(node.output[0], [])
    if any(each.op_type != "Trunc" for each in readers) or not readers:
        yield Finding(
            node.name,
            f"{node.op_type} without Trunc stays unmapped",
            "--integers, which sums the windows",
        )


def _add(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    if any(name in view.fixed for name in node.input):
        return
    scales = [view.scale_behind(name) for name in node.input]
    if any(scale is None for scale in scales):
        yield Finding(
            node.name,
            "a branch that no quantiser stands behind meets another",
            "quantise both branches with one scale, or --integers",
        )
    elif len({float(s) for scale in scales if scale is not None for s in np.ravel(scale)}) > 1:
        yield Finding(
            node.name,
            "branches of different scales meet",
            "share one quantiser between them, or --integers",
        )


def _conv(view: View, node: onnx.NodeProto) -> Iterator[Finding]:
    weights = view.weights(node)
    groups = int(attribute(node, "group", 1))
    if view.bipolar_behind(node.input[0]) and any(attribute(node, "pads", ())):
        yield Finding(
            node.name,
            "it pads bipolar values with zeros, which FINN's windows cannot hold",
            "--integers gives them two bits",
        )
    if weights is not None and groups > 1 and groups != weights.shape[0]:
        yield Finding(
            node.name,
            f"{groups} groups of {weights.shape[0]} outputs; FINN has depthwise and dense alone",
            "--integers writes one matrix with zeros",
        )


_RULES: Mapping[str, Callable[[View, onnx.NodeProto], Iterator[Finding]]] = {
    "Quant": _quant,
    "BipolarQuant": _bipolar,
    "Trunc": _trunc,
    "AveragePool": _average,
    "GlobalAveragePool": _average,
    "Add": _add,
    "Concat": _add,
    "Conv": _conv,
}
