"""Put a quantiser at the input of a network that was exported without one."""

from pathlib import Path

import numpy as np
import onnx

from bitfold.compiler.read_qonnx import graph_input
from bitfold.compiler.reading.load import QONNX, load_model
from bitfold.errors import ConfigError
from bitfold.files import write_bytes


def add_input_quantiser(
    model: Path, out: Path, *, bits: int, scale: float, signed: bool = True
) -> None:
    """Write `model` to `out` with a Quant node (integer = clip(round(x / scale))) at its input.

    Some exporters, QKeras among them, leave the input real; hardware needs integers. It changes
    the network, so that accuracy has to be measured again.
    Raises: ModelError as `read_qonnx` does, ConfigError for bits outside 1..8 or a bad scale.
    """
    if not 1 + signed <= bits <= 8:
        raise ConfigError(f"input bits must be from {1 + signed} to 8, got {bits}")
    with np.errstate(over="ignore"):
        stored = np.float32(scale)
    if not (np.isfinite(stored) and stored > 0):
        raise ConfigError(
            f"input scale must be positive and finite, got {scale} (in float32: {stored:g})"
        )
    proto = load_model(model)
    name = graph_input(proto).name
    taken = {t for n in proto.graph.node for t in (*n.input, *n.output)} | {name}
    taken |= {tensor.name for tensor in proto.graph.initializer}
    prefix = "input_quant"
    while any(t.startswith(prefix) for t in taken):
        prefix += "_"
    for node in proto.graph.node:
        for index, each in enumerate(node.input):
            if each == name:
                node.input[index] = prefix
    constants = {"scale": scale, "zero": 0.0, "bits": float(bits)}
    for key, value in constants.items():
        array = np.asarray(value, np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, f"{prefix}_{key}"))
    names = [name, *(f"{prefix}_{key}" for key in constants)]
    node = onnx.helper.make_node("Quant", names, [prefix], prefix, domain=QONNX)
    given = {"signed": int(signed), "narrow": 0, "rounding_mode": "ROUND"}
    node.attribute.extend(onnx.helper.make_attribute(k, v) for k, v in given.items())
    if QONNX not in [o.domain for o in proto.opset_import]:
        proto.opset_import.add(domain=QONNX, version=1)
    proto.graph.node.insert(0, node)
    write_bytes(out, proto.SerializeToString())
