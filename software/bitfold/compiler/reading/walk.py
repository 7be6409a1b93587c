"""The walk over a model's nodes: each gives its output a constant, a stream or a host value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.border import (
    InputRule,
    annotated_input,
    integers_for,
    quantise_input_stream,
)
from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import FOLDED, Constant, fold, quantised
from bitfold.compiler.reading.elementwise import (
    ELEMENTWISE,
    FREE,
    apply_elementwise,
    change_shape,
)
from bitfold.compiler.reading.layers import read_conv, read_dense, read_maxpool
from bitfold.compiler.reading.load import one_line
from bitfold.compiler.reading.operators import HOST, LAYERS, POOLS, QUANTISERS
from bitfold.compiler.reading.output import Tail, finish
from bitfold.compiler.reading.quantiser import MAX_BIAS_BITS, MAX_BITS, parse_quantiser
from bitfold.compiler.reading.requantise import requantise
from bitfold.compiler.reading.stream import Stream
from bitfold.errors import ModelError, UnsupportedOp


@final
@dataclass(frozen=True, eq=False)
class Host:
    """A tensor behind nodes that are left to the host."""

    before: Stream
    nodes: tuple[str, ...]


Value = Constant | Stream | Host


@final
class Walk:
    """The walk over the nodes; lives for one reading."""

    def __init__(self, opset: int, datatype: str) -> None:
        self.opset = opset
        self.datatype = datatype
        self.builder = Builder()
        self.values: dict[str, Value] = {}
        self.rule: InputRule | None = None

    def visit(self, order: int, node: onnx.NodeProto) -> None:
        """Give every used output of the node a value."""
        self.values[node.output[0]] = self._value(order, node)

    def _value(self, order: int, node: onnx.NodeProto) -> Value:
        subject = f"node {node.name!r} ({node.op_type})"
        inputs = [self.values.get(i) if i else None for i in node.input]
        lost = [i for i, v in zip(node.input, inputs, strict=True) if i and v is None]
        if lost:
            raise UnsupportedOp(f"{subject}: reads {lost[0]!r}, a second output of its node")
        if node.op_type == "Constant":
            return _constant_node(node)
        streams = [i for i in inputs if isinstance(i, Stream | Host)]
        for each in streams:
            if isinstance(each, Host):
                return self._behind_host(node, each)
        known = [i for i in inputs if not isinstance(i, Host)]
        if node.op_type in QUANTISERS:
            return self._quantiser(node, known)
        if not streams:
            return self._folded(node, known)
        x = streams[0]
        assert isinstance(x, Stream)
        if node.op_type == "Shape":
            return Constant(np.array(x.view.shape, np.int64))
        if node.op_type in HOST:
            return Host(x, (node.name,))
        if node.op_type in FREE and isinstance(inputs[0], Stream):
            return change_shape(node, known, self.opset)
        if node.op_type in ELEMENTWISE:
            return apply_elementwise(node, known, order)
        if not isinstance(inputs[0], Stream):
            raise UnsupportedOp(f"{subject}: its first input must be the runtime tensor")
        if node.op_type in POOLS:
            return read_maxpool(node, self._integers(x, node) if x.type is None else x, order)
        if node.op_type in LAYERS:
            read = read_conv if node.op_type == "Conv" else read_dense
            integers = integers_for(self._integers(x, node), node.name, self.builder)
            return read(node, integers, known, self.builder, order)
        raise UnsupportedOp(f"{subject}: compiled on constants only, not on a runtime tensor")

    def _behind_host(self, node: onnx.NodeProto, host: Host) -> Host:
        if node.op_type in (*QUANTISERS, *LAYERS):
            raise UnsupportedOp(
                f"node {node.name!r} ({node.op_type}): stands behind {host.nodes[0]!r}, which is "
                "compiled only at the end of a network"
            )
        return Host(host.before, (*host.nodes, node.name))

    def _folded(self, node: onnx.NodeProto, inputs: list[Constant | Stream | None]) -> Constant:
        if node.op_type not in FOLDED:
            raise UnsupportedOp(
                f"node {node.name!r} ({node.op_type}): on constants alone; fold it before export "
                "(qonnx-cleanup)"
            )
        return fold(node, [i for i in inputs if not isinstance(i, Stream)], self.opset)

    def _quantiser(self, node: onnx.NodeProto, inputs: list[Constant | Stream | None]) -> Value:
        parameters = [i.value if isinstance(i, Constant) else None for i in inputs[1:]]
        source, out = inputs[0], node.output[0]
        # A constant of one axis is a bias; what is not is refused where it is used.
        bias = isinstance(source, Constant) and source.value.ndim <= 1
        most = MAX_BIAS_BITS if bias else MAX_BITS
        quantiser = parse_quantiser(node, parameters, most_bits=most)
        if isinstance(source, Constant):
            return quantised(quantiser, source)
        assert isinstance(source, Stream)
        if source.type is not None:
            return requantise(quantiser, source, self.builder, self.opset, out)
        stream, rule = quantise_input_stream(quantiser, source, self.builder, self.opset, out)
        self._set_rule(rule, node)
        return stream

    def _integers(self, x: Stream, node: onnx.NodeProto) -> Stream:
        if x.type is not None:
            return x
        stream, rule = annotated_input(x, self.datatype, self.builder, self.opset, node.name)
        self._set_rule(rule, node)
        return stream

    def _set_rule(self, rule: InputRule, node: onnx.NodeProto) -> None:
        if self.rule is not None:
            raise UnsupportedOp(
                f"node {node.name!r}: the input is quantised a second time; only chains are "
                "compiled, not branches"
            )
        self.rule = rule

    def finish(self, output: str) -> Tail:
        """End at the graph's output."""
        value = self.values.get(output)
        host = value.nodes if isinstance(value, Host) else ()
        stream = value.before if isinstance(value, Host) else value
        if not isinstance(stream, Stream):
            raise ModelError(f"output {output!r} does not depend on the input")
        return finish(stream, host, self.builder)


def _constant_node(node: onnx.NodeProto) -> Constant:
    given: Mapping[str, Any] = {a.name: a for a in node.attribute}
    if "value" in given:
        return constant(given["value"].t)
    for name, kind in (("value_float", np.float32), ("value_int", np.int64)):
        for key in (name, f"{name}s"):
            if key in given:
                return Constant(np.asarray(onnx.helper.get_attribute_value(given[key]), kind))
    raise UnsupportedOp(f"node {node.name!r} (Constant): only numbers are read")


def constant(tensor: onnx.TensorProto) -> Constant:
    """A stored tensor. Raises: ModelError when it is damaged."""
    try:
        return Constant(onnx.numpy_helper.to_array(tensor))
    except Exception as error:  # numpy, protobuf and onnx each raise their own
        raise ModelError(f"tensor {tensor.name!r}: damaged ({one_line(error)})") from None
