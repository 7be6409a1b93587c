"""QONNX file to integer graph: the only reader.

The file is walked once, in order. Every ONNX tensor becomes a constant or a stream: an IR node's
integers behind element-wise nodes. A quantiser turns a stream into thresholds, a layer turns
integers into accumulators, an addition integers into their sum. Accumulators are exact integers; a
float32 evaluation of the same file rounds its partial sums, which `compiler.check` measures.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import onnx

from bitfold.compiler.passes.rewire import pruned
from bitfold.compiler.reading.border import raw_stream
from bitfold.compiler.reading.ends import read_outputs
from bitfold.compiler.reading.layout import Layout, as_map
from bitfold.compiler.reading.load import STANDARD, load_model, one_line, printable
from bitfold.compiler.reading.operators import check_operators
from bitfold.compiler.reading.quantiser import Ties
from bitfold.compiler.reading.stored import constant
from bitfold.compiler.reading.walk import Walk
from bitfold.compiler.reading.windows import NotAMap
from bitfold.errors import ModelError, UnsupportedOp
from bitfold.ir.graph import Graph
from bitfold.ir.types import Ints
from bitfold.ir.verify import verify

FINN_TIES = "ties round up, as FINN's thresholds do; QONNX rounds them to even"


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """A graph and the ONNX tensor whose values its outputs stand for.

    view: for each element of a sample of `tensor` its place in the flattened output integers.
    """

    graph: Graph
    tensor: str
    view: Ints


def read_qonnx(path: Path, ties: Ties = "even") -> Graph:
    """The integer graph of a QONNX model, as it stands in the file; `run_pipeline` comes next.

    ties: where a real lies in the middle between two steps of a quantiser that rounds to the
    nearest. "even" is QONNX's rule; "finn" takes the greater, as thresholds of FINN do, so that
    results can be held against a FINN bitstream. Weights and biases are rounded to even.
    Raises: ModelError when the file cannot be read, UnsupportedOp when a node, a type or a shape
    is not compiled; both name the node, the rule and the remedy.
    """
    return read_with_tensor(path, ties).graph


def read_with_tensor(path: Path, ties: Ties = "even") -> Reading:
    """As `read_qonnx`, with the tensor that the outputs stand for."""
    model = load_model(path)
    try:
        try:
            return _read(path, model, ties, None)
        except NotAMap as error:
            # A channels-last or flat input: put the map where the network wants it.
            layout = _layout(model, error)
            if layout is None:
                raise
        return _read(path, model, ties, layout)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: damaged, a text is not UTF-8 ({one_line(error)})") from None
    except ModelError as error:
        if str(error).startswith(str(path)):
            raise
        kind = ModelError if type(error) is ModelError else UnsupportedOp
        raise kind(f"{path}: {printable(str(error))}") from None


def graph_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The only input that is not an initializer."""
    known = {i.name for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    if len(inputs) != 1 or not model.graph.output:
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


def _read(path: Path, model: onnx.ModelProto, ties: Ties, layout: Layout | None) -> Reading:
    nodes = live_nodes(model)
    value = graph_input(model)
    check_operators([node for _, node in nodes])
    raw = raw_stream(value, layout, str(path))
    layout = layout or Layout.of(_sample(value))
    walk = Walk(standard_opset(model), _annotation(model, value.name), ties)
    walk.values.known[value.name] = raw
    for tensor in model.graph.initializer:
        walk.values.known[tensor.name] = constant(tensor)
    for order, node in nodes:
        walk.visit(order, node)
    tail = read_outputs([o.name for o in model.graph.output], walk.values)
    assert walk.values.rule is not None
    graph = Graph(
        nodes=tuple(walk.builder.nodes.values()),
        input=next(iter(walk.builder.nodes)),
        output=tail.node,
        input_map=walk.values.rule.map,
        output_map=tail.map,
        input_range=walk.values.rule.range,
        input_rounding=walk.values.rule.rounding,
        input_shape=None if layout.plain else layout.file,
        input_order=None if layout.ordered else layout.order,
        notes=(*tail.notes, *([FINN_TIES] if ties == "finn" else [])),
    )
    graph = pruned(graph)
    verify(graph, after="read_qonnx")
    return Reading(graph, tail.tensor, tail.view)


def _sample(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(d.dim_value for d in value.type.tensor_type.shape.dim)[1:]


def _layout(model: onnx.ModelProto, error: NotAMap) -> Layout | None:
    """How the input must lie for the node that got no map; None if that is not its fault."""
    if not error.of_input or error.view.ndim not in (2, 3):
        return None
    return Layout.of(_sample(graph_input(model))).again(error.view, as_map(error.view))


def _annotation(model: onnx.ModelProto, name: str) -> str:
    """The QONNX data type that the file states for a tensor; "" if none."""
    for annotation in model.graph.quantization_annotation:
        if annotation.tensor_name == name:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "finn_datatype":
                    return str(entry.value)
    return ""
