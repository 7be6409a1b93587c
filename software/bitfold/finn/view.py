"""An ONNX graph with its edges and constants at hand."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import onnx
from numpy.typing import NDArray

QUANTISERS = ("Quant", "BipolarQuant", "BinaryQuant")


@final
@dataclass(frozen=True)
class View:
    """A graph with its edges."""

    graph: onnx.GraphProto

    @cached_property
    def constants(self) -> dict[str, NDArray[Any]]:
        """Initializers by name."""
        return {t.name: onnx.numpy_helper.to_array(t) for t in self.graph.initializer}

    @cached_property
    def makers(self) -> dict[str, onnx.NodeProto]:
        """The node that makes a tensor."""
        return {name: node for node in self.graph.node for name in node.output}

    @cached_property
    def readers(self) -> dict[str, list[onnx.NodeProto]]:
        """The nodes that read a tensor."""
        found: dict[str, list[onnx.NodeProto]] = {}
        for node in self.graph.node:
            for name in node.input:
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def fixed(self) -> frozenset[str]:
        """Tensors that do not depend on the input's values; FINN folds them into constants."""
        known = set(self.constants)
        for node in self.graph.node:
            if node.op_type == "Shape" or all(not name or name in known for name in node.input):
                known |= set(node.output)
        return frozenset(known)

    def value(self, node: onnx.NodeProto, index: int) -> NDArray[Any] | None:
        """A constant operand of a node."""
        return self.constants.get(node.input[index]) if index < len(node.input) else None

    def weights(self, node: onnx.NodeProto) -> NDArray[Any] | None:
        """Of a layer, before its quantiser."""
        maker = self.makers.get(node.input[1])
        return self.value(node, 1) if maker is None else self.value(maker, 0)

    def scale_behind(self, tensor: str) -> NDArray[Any] | None:
        """Scale of the quantiser that a tensor comes from, if only moves lie between."""
        node = self._quantiser(tensor)
        return None if node is None else self.value(node, 1)

    def bipolar_behind(self, tensor: str) -> bool:
        """Whether a tensor holds signs alone, if only moves lie behind their quantiser."""
        node = self._quantiser(tensor)
        return node is not None and node.op_type != "Quant"

    def _quantiser(self, tensor: str) -> onnx.NodeProto | None:
        node = self.makers.get(tensor)
        while node is not None and node.op_type in ("Flatten", "Reshape", "Transpose", "MaxPool"):
            node = self.makers.get(node.input[0])
        return node if node is not None and node.op_type in QUANTISERS else None


def attribute(node: onnx.NodeProto, name: str, default: object) -> Any:
    """An attribute's value, strings as text."""
    for each in node.attribute:
        if each.name == name:
            value = onnx.helper.get_attribute_value(each)
            return value.decode() if isinstance(value, bytes) else value
    return default
