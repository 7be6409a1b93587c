"""`bitfold export --for finn`: a file that FINN's builder takes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.compiler.reading.load import load_model
from bitfold.errors import ConfigError, UnsupportedOp
from bitfold.files import write_bytes
from bitfold.finn.accepts import Finding, findings, left_behind
from bitfold.finn.integers import to_finn
from bitfold.finn.view import View, attribute

SHOWN = 12  # findings in a message


def export_integers(model: Path, out: Path) -> None:
    """Write the network's integers as FINN-ONNX; see `integers.to_finn`."""
    made = to_finn(run_pipeline(read_qonnx(model)), model.stem)
    write_bytes(out, made.SerializeToString(deterministic=True))


def export_qonnx(model: Path, out: Path, *, top_k: bool = False) -> tuple[Finding, ...]:
    """Write the QONNX network as FINN takes it.

    The input's quantiser becomes a scale and an integer annotation of the input: in FINN's
    hardware it would be the largest item of a small network. top_k: the greatest output's index
    leaves instead of the outputs, which FINN maps to LabelSelect.
    Returns what FINN takes with more than its default steps.
    Raises: ModelError as `read_qonnx` does; UnsupportedOp with all that FINN would trip over;
    ConfigError for top_k of a map.
    """
    read = read_qonnx(model)  # whatever bitfold itself refuses
    shape = read.output_type.shape
    if top_k and len(shape) != 1:
        raise ConfigError(f"{model}: --top-k is of classifiers; this network's outputs are {shape}")
    proto = load_model(model)
    stops = findings(proto)
    if stops:
        lines = [f"  {each}" for each in stops[:SHOWN]]
        more = [f"  and {len(stops) - SHOWN} more"] if len(stops) > SHOWN else []
        raise UnsupportedOp("\n".join([f"{model}: FINN would not take it:", *lines, *more]))
    left = left_behind(proto)
    spell_out(proto)
    input_to_integers(proto, str(model))
    if top_k:
        add_top_k(proto)
    write_bytes(out, proto.SerializeToString(deterministic=True))
    return left


def spell_out(proto: onnx.ModelProto) -> None:
    """Write down what ONNX lets one leave out and FINN reads: of windows all, of Gemm the C."""
    view = View(proto.graph)
    for node in proto.graph.node:
        if node.op_type == "Conv":
            weights = _weights(view, node)
            _default(node, "kernel_shape", list(weights.shape[2:]))
            axes = weights.ndim - 2
            _default(node, "group", 1)
        elif node.op_type in ("MaxPool", "AveragePool"):
            axes = len(attribute(node, "kernel_shape", ()))
        else:
            axes = 0
        if axes:
            _default(node, "strides", [1] * axes)
            if attribute(node, "auto_pad", "NOTSET") == "NOTSET":
                _default(node, "pads", [0] * 2 * axes)
        if node.op_type == "Conv":
            _default(node, "dilations", [1] * axes)
        if node.op_type == "Gemm" and len(node.input) == 2:
            weights = _weights(view, node)
            outputs = weights.shape[0 if attribute(node, "transB", 0) else 1]
            name = f"{node.name}_no_bias"
            zeros = np.zeros(outputs, np.float32)
            proto.graph.initializer.append(onnx.numpy_helper.from_array(zeros, name))
            node.input.append(name)


def _default(node: onnx.NodeProto, name: str, value: int | list[int]) -> None:
    if attribute(node, name, None) is None:
        node.attribute.append(onnx.helper.make_attribute(name, value))


def _weights(view: View, node: onnx.NodeProto) -> NDArray[Any]:
    weights = view.weights(node)
    assert weights is not None, "read_qonnx has seen constant weights"
    return weights


def input_to_integers(proto: onnx.ModelProto, subject: str) -> None:
    """Put Mul(scale) in place of the input's quantiser, and its type on the input, unless it has
    one.

    Raises: UnsupportedOp where the input is not read by one quantiser of one scale.
    """
    view = View(proto.graph)
    name = next(i.name for i in proto.graph.input if i.name not in view.constants)
    if any(a.tensor_name == name for a in proto.graph.quantization_annotation):
        return  # it is of integers already
    readers = view.readers.get(name, [])
    scale = view.value(readers[0], 1) if len(readers) == 1 else None
    if scale is None or readers[0].op_type != "Quant" or scale.size != 1:
        raise UnsupportedOp(
            f"{subject}: input {name!r} is not read by one Quant node of one scale, which would "
            "become FINN's integer input; use --integers, or bitfold quantise-input"
        )
    quantiser = readers[0]
    bits = view.value(quantiser, 3)
    assert bits is not None, "read_qonnx has seen a constant width"
    kind = f"{'INT' if attribute(quantiser, 'signed', 1) else 'UINT'}{int(bits.item())}"
    index = list(proto.graph.node).index(quantiser)
    shaped = onnx.numpy_helper.from_array(scale.astype(np.float32).reshape(()), f"{name}_scale")
    proto.graph.initializer.append(shaped)
    scaled = onnx.helper.make_node(
        "Mul", [name, shaped.name], [quantiser.output[0]], f"{name}_scaled"
    )
    proto.graph.node.remove(quantiser)
    proto.graph.node.insert(index, scaled)
    entry = onnx.StringStringEntryProto(key="finn_datatype", value=kind)
    proto.graph.quantization_annotation.append(
        onnx.TensorAnnotation(tensor_name=name, quant_parameter_tensor_names=[entry])
    )


def add_top_k(proto: onnx.ModelProto) -> None:
    """Behind (1, classes) outputs: the index of the greatest, (1, 1)."""
    output = proto.graph.output[0]
    name = output.name
    count = onnx.numpy_helper.from_array(np.array([1], np.int64), f"{name}_k")
    proto.graph.initializer.append(count)
    made = [f"{name}_greatest", f"{name}_class"]
    proto.graph.node.append(
        onnx.helper.make_node("TopK", [name, count.name], made, f"{name}_top", axis=-1)
    )
    proto.graph.value_info.append(output)
    del proto.graph.output[:]
    index = onnx.helper.make_tensor_value_info(made[1], onnx.TensorProto.INT64, (1, 1))
    proto.graph.output.append(index)
