"""QONNX file to integer graph: the only reader.

The file is walked once, in order. Every ONNX tensor becomes a constant or a stream: an IR node's
integers behind element-wise nodes. A quantiser turns a stream into thresholds, a layer turns
integers into accumulators. Accumulators are exact integers; a float32 evaluation of the same file
rounds its partial sums, which `compiler.check` measures.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import onnx

from bitfold.compiler.reading.border import raw_stream
from bitfold.compiler.reading.load import load_model, one_line, printable
from bitfold.compiler.reading.operators import STANDARD, check_operators
from bitfold.compiler.reading.walk import Walk, constant
from bitfold.errors import ModelError
from bitfold.ir.graph import Graph
from bitfold.ir.verify import verify


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
    check_operators([node for _, node in nodes])
    value = graph_input(model)
    walk = Walk(standard_opset(model), _annotation(model, value.name))
    walk.values[value.name] = raw_stream(value, str(path))
    for tensor in model.graph.initializer:
        walk.values[tensor.name] = constant(tensor)
    for order, node in nodes:
        walk.visit(order, node)
    tail = walk.finish(model.graph.output[0].name)
    assert walk.rule is not None
    graph = Graph(
        nodes=tuple(walk.builder.nodes),
        input=walk.builder.nodes[0].name,
        output=tail.node,
        input_map=walk.rule.map,
        output_map=tail.map,
        input_range=walk.rule.range,
        notes=tail.notes,
    )
    verify(graph, after="read_qonnx")
    return Reading(graph, tail.tensor)


def _annotation(model: onnx.ModelProto, name: str) -> str:
    """The QONNX data type that the file states for a tensor; "" if none."""
    for annotation in model.graph.quantization_annotation:
        if annotation.tensor_name == name:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "finn_datatype":
                    return str(entry.value)
    return ""
