"""A FINN-ONNX file as it grows: nodes, constants, and what FINN notes on tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from onnx import (
    ModelProto,
    NodeProto,
    StringStringEntryProto,
    TensorAnnotation,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from bitfold.ir.graph import Graph
from bitfold.ir.types import IntType

GENERAL, HARDWARE = "qonnx.custom_op.general", "finn.custom_op.fpgadataflow"
_OPSET = 18  # the first whose Pad has axes, as FINN wants them
_IR_VERSION = 9
_LAYOUTS = {4: "['N', 'H', 'W', 'C']", 2: "['N', 'C']"}
Integers = NDArray[np.integer[Any]]


def finn_type(kind: IntType) -> str:
    """FINN's name of a type: INT4, UINT8; BINARY for bipolar tensors, written as 0 and 1.

    Of 2 bits at least: FINN's products take single bits as signs alone.
    """
    if kind.bipolar:
        return "BINARY"
    return f"{'INT' if kind.signed else 'UINT'}{max(2, kind.bits)}"


def finn_shape(kind: IntType) -> tuple[int, ...]:
    """(1, H, W, C) of a map (C, H, W); (1, K) of features."""
    if len(kind.shape) == 3:
        channels, height, width = kind.shape
        return (1, height, width, channels)
    return (1, *kind.shape)


@final
@dataclass
class Reading:
    """What the nodes before leave for those behind them.

    orders:  of flattened features, by name: (channels last)[i] = ir[order[i]].
    counted: nodes of which the file holds the count of equal signs, not the sum, and their terms:
             sum = 2 count - terms.
    """

    graph: Graph
    types: Mapping[str, IntType]
    orders: dict[str, Integers] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def keep_order(self, read: str, made: str) -> None:
        """Flattened features stay in the order in which they came."""
        if read in self.orders:
            self.orders[made] = self.orders[read]


@final
@dataclass
class File:
    """Nodes in order; tensors are float32 and hold integers."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    values: dict[str, ValueInfoProto] = field(default_factory=dict)
    annotations: dict[str, dict[str, str]] = field(default_factory=dict)

    def tensor(self, name: str, kind: IntType) -> str:
        """State shape, type and layout of a tensor."""
        return self.shaped(name, finn_shape(kind), finn_type(kind))

    def shaped(self, name: str, shape: tuple[int, ...], kind: str) -> str:
        """The same from a shape and FINN's name of the type."""
        self.values[name] = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        self.annotate(name, "finn_datatype", kind)
        if len(shape) in _LAYOUTS:
            self.annotate(name, "tensor_layout", _LAYOUTS[len(shape)])
        return name

    def annotate(self, tensor: str, key: str, value: str) -> None:
        """FINN's note on a tensor."""
        self.annotations.setdefault(tensor, {})[key] = value

    def constant(self, name: str, values: Integers, kind: str) -> str:
        """Integers as a float32 initializer."""
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        self.annotate(name, "finn_datatype", kind)
        return name

    def plain(self, name: str, values: NDArray[Any]) -> str:
        """An initializer as it is: shapes, pads."""
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(
        self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any
    ) -> None:
        """A node that is called as its output."""
        made = helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes)
        self.nodes.append(made)

    def model(self, name: str, read: str, made: str) -> ModelProto:
        """The file, from tensor `read` to tensor `made`."""
        middle = [v for k, v in self.values.items() if k not in (read, made)]
        graph = helper.make_graph(
            self.nodes, name, [self.values[read]], [self.values[made]], self.constants
        )
        graph.value_info.extend(middle)
        for tensor, notes in self.annotations.items():
            entries = [StringStringEntryProto(key=k, value=v) for k, v in notes.items()]
            graph.quantization_annotation.append(
                TensorAnnotation(tensor_name=tensor, quant_parameter_tensor_names=entries)
            )
        domains = ((GENERAL, 1), (HARDWARE, 1), ("", _OPSET))
        opsets = [helper.make_opsetid(domain, version) for domain, version in domains]
        return helper.make_model(
            graph, producer_name="bitfold", opset_imports=opsets, ir_version=_IR_VERSION
        )
