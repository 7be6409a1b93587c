"""QONNX file to integer graph: the only reader.

The file is walked once, in order. Every ONNX tensor becomes a constant or a stream: an IR node's
integers behind element-wise nodes. A quantiser turns a stream into thresholds, a layer turns
integers into accumulators. Accumulators are exact integers; a float32 evaluation of the same file
rounds its partial sums, which `compiler.check` measures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.border import (
    InputRule,
    annotated_input,
    integers_for,
    quantise_input_stream,
    raw_stream,
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
from bitfold.compiler.reading.load import QONNX, load_model, one_line, printable
from bitfold.compiler.reading.output import Tail, finish
from bitfold.compiler.reading.quantiser import MAX_BIAS_BITS, MAX_BITS, parse_quantiser
from bitfold.compiler.reading.requantise import requantise
from bitfold.compiler.reading.stream import Stream
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.graph import Graph
from bitfold.ir.verify import verify

QUANTISERS = ("Quant", "IntQuant", "BipolarQuant")
LAYERS = ("Conv", "Gemm", "MatMul")
POOLS = ("MaxPool", "GlobalMaxPool")
HOST = ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "TopK")
SUPPORTED = (*QUANTISERS, *LAYERS, *POOLS, *ELEMENTWISE, *FREE, *HOST)
CONSTANT_ONLY = tuple(t for t in (*FOLDED, "Constant") if t not in SUPPORTED)
STANDARD = ("", "ai.onnx")


@final
@dataclass(frozen=True, eq=False)
class Host:
    """A tensor behind nodes that are left to the host."""

    before: Stream
    nodes: tuple[str, ...]


Value = Constant | Stream | Host


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """A graph and the ONNX tensor whose values its outputs stand for."""

    graph: Graph
    tensor: str


def read_qonnx(path: Path) -> Graph:
    """The integer graph of a QONNX model, as it stands in the file; `run_pipeline` comes next.

    Raises: ModelError when the file cannot be read, UnsupportedOp when a node, a type or a shape
    is not compiled; both name the node, the rule and the remedy.
    """
    return read_with_tensor(path).graph


def read_with_tensor(path: Path) -> Reading:
    """As `read_qonnx`, with the tensor that the outputs stand for."""
    model = load_model(path)
    try:
        return _read(path, model)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: damaged, a text is not UTF-8 ({one_line(error)})") from None
    except ModelError as error:
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}: {printable(str(error))}") from None


def graph_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The only input that is not an initializer."""
    known = {i.name for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ModelError(
            f"the model has {len(inputs)} inputs and {len(model.graph.output)} outputs; one of "
            "each is compiled"
        )
    only: onnx.ValueInfoProto = inputs[0]
    return only


def standard_opset(model: onnx.ModelProto) -> int:
    """Version of the standard operator set."""
    return int(next(o.version for o in model.opset_import if o.domain in STANDARD))


def live_nodes(model: onnx.ModelProto) -> list[tuple[int, onnx.NodeProto]]:
    """The nodes that the output depends on, with their positions."""
    wanted = {o.name for o in model.graph.output}
    live = []
    for order, node in reversed(list(enumerate(model.graph.node))):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            live.append((order, node))
    return live[::-1]


def _read(path: Path, model: onnx.ModelProto) -> Reading:
    nodes = live_nodes(model)
    _check_operators([node for _, node in nodes])
    value = graph_input(model)
    reader = _Reader(standard_opset(model), _annotation(model, value.name))
    reader.values[value.name] = raw_stream(value, str(path))
    for tensor in model.graph.initializer:
        reader.values[tensor.name] = _constant(tensor)
    for order, node in nodes:
        reader.visit(order, node)
    tail = reader.finish(model.graph.output[0].name)
    assert reader.rule is not None
    graph = Graph(
        nodes=tuple(reader.builder.nodes),
        input=reader.builder.nodes[0].name,
        output=tail.node,
        input_map=reader.rule.map,
        output_map=tail.map,
        input_range=reader.rule.range,
        notes=tail.notes,
    )
    verify(graph, after="read_qonnx")
    return Reading(graph, tail.tensor)


def _check_operators(nodes: list[onnx.NodeProto]) -> None:
    for node in nodes:
        subject = f"node {node.name!r} ({node.op_type})"
        known = node.op_type in QUANTISERS if node.domain == QONNX else node.domain in STANDARD
        if known and node.op_type in (*SUPPORTED, *CONSTANT_ONLY):
            continue
        remedy = "Replace it, or add software/bitfold/ir/ops/ and a reader for it"
        if "channels_last" in node.domain:
            remedy = "It is channels-last; export channels-first (NCHW)"
        elif node.op_type in ("QuantizeLinear", "DequantizeLinear", "QLinearConv"):
            remedy = "Convert the file with qonnx.transformation.qcdq_to_qonnx"
        domain = f" of domain {node.domain!r}" if node.domain not in STANDARD else ""
        raise UnsupportedOp(
            f"{subject}{domain} is not supported (supported: {', '.join(sorted(SUPPORTED))}). "
            f"{remedy}"
        )
    if not any(node.op_type in QUANTISERS for node in nodes):
        raise ModelError(
            "no Quant or BipolarQuant node: a float model. Quantise it (Brevitas, QKeras) and "
            "export QONNX"
        )


def _annotation(model: onnx.ModelProto, name: str) -> str:
    """The QONNX data type that the file states for a tensor; "" if none."""
    for annotation in model.graph.quantization_annotation:
        if annotation.tensor_name == name:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "finn_datatype":
                    return str(entry.value)
    return ""


def _constant(tensor: onnx.TensorProto) -> Constant:
    try:
        return Constant(onnx.numpy_helper.to_array(tensor))
    except Exception as error:  # numpy, protobuf and onnx each raise their own
        raise ModelError(f"tensor {tensor.name!r}: damaged ({one_line(error)})") from None


@final
class _Reader:
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
        return _constant(given["value"].t)
    for name, kind in (("value_float", np.float32), ("value_int", np.int64)):
        for key in (name, f"{name}s"):
            if key in given:
                return Constant(np.asarray(onnx.helper.get_attribute_value(given[key]), kind))
    raise UnsupportedOp(f"node {node.name!r} (Constant): only numbers are read")
