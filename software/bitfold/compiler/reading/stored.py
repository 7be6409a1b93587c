"""What an ONNX tensor can be while reading, and the tensors that a file stores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.constants import Constant
from bitfold.compiler.reading.load import one_line
from bitfold.compiler.reading.stream import Cat, Runtime, Stream
from bitfold.errors import ModelError, UnsupportedOp


@final
@dataclass(frozen=True, eq=False)
class Host:
    """A tensor behind nodes that are left to the host."""

    before: Runtime
    tensor: str  # that they read
    nodes: tuple[str, ...]


REAL = "fiub"  # kinds of numpy's types
Value = Constant | Stream | Cat | Host
Inputs = list[Constant | Stream | Cat | None]


def constant_node(node: onnx.NodeProto) -> Constant:
    """The value of a Constant node. Raises: UnsupportedOp for other than numbers."""
    given: Mapping[str, Any] = {a.name: a for a in node.attribute}
    if "value" in given:
        return constant(given["value"].t)
    for name, kind in (("value_float", np.float32), ("value_int", np.int64)):
        for key in (name, f"{name}s"):
            if key in given:
                return Constant(np.asarray(onnx.helper.get_attribute_value(given[key]), kind))
    raise UnsupportedOp(f"node {node.name!r} (Constant): only numbers are read")


def constant(tensor: onnx.TensorProto) -> Constant:
    """A stored tensor. Raises: ModelError when it is damaged or holds no reals."""
    try:
        value = onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # numpy, protobuf and onnx each raise their own
        raise ModelError(f"tensor {tensor.name!r}: damaged ({one_line(error)})") from None
    if value.dtype.kind not in REAL:
        raise ModelError(
            f"tensor {tensor.name!r}: of type {value.dtype}; only reals, integers and truth values "
            "are read. Store it as float32"
        )
    return Constant(value)
