"""The integer graph: an ordered list of named nodes that can be run, saved and costed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.types import Ints, IntType

Float = TypeVar("Float", np.float32, np.float64)


class Op(ABC):
    """What a node computes. Subclasses are frozen dataclasses, one family a file in `ops/`."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads."""

    @abstractmethod
    def infer(self, *types: IntType) -> IntType:
        """Type of the result; the only place where a width is computed."""

    @abstractmethod
    def run(self, *values: Ints) -> Ints:
        """Golden semantics. Values have a leading batch axis: (N, *shape)."""


@final
@dataclass(frozen=True, eq=False)
class ValueMap:
    """real = scale * integer + bias, per tensor or per channel; used at the borders alone.

    `scale` and `bias` have shape () or (C,), float64.
    """

    scale: NDArray[np.float64]
    bias: NDArray[np.float64]

    def to_real(self, values: NDArray[np.integer] | NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, C, ...) integers to reals."""
        return values * per_channel(self.scale, values.ndim) + per_channel(self.bias, values.ndim)


def per_channel(array: NDArray[Float], ndim: int) -> NDArray[Float]:
    """() or (C,) shaped so that it broadcasts against (N, C, ...) of `ndim` axes."""
    return array if array.ndim == 0 else array.reshape(1, -1, *([1] * (ndim - 2)))


@final
@dataclass(frozen=True, eq=False)
class Node:
    """An operation with a unique name and the type of its result."""

    name: str
    op: Op
    type: IntType


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Graph:
    """Nodes in topological order, each read any number of times; one input and one output node.

    input_map:  how a real input becomes integers (see `interp.quantise_input`).
    output_map: what the output integers mean.
    input_range: least and greatest input integer, where narrower than the input's type.
    input_by_sign: the input quantiser is a sign, not a rounding (bipolar inputs imply it).
    input_rounding: its rounding otherwise, of `rounding.ROUNDING`.
    input_shape: shape of a real sample, where it is not the input type's; from it the axes in
        `input_order` and then a reshape lead to the type's (channels, ...).
    notes: what whoever runs the accelerator must know, e.g. a softmax left to the host.
    """

    nodes: tuple[Node, ...]
    input: str
    output: str
    input_map: ValueMap
    output_map: ValueMap
    input_range: tuple[int, int] | None = None
    input_by_sign: bool = False
    input_rounding: str = "HALF_EVEN"
    input_shape: tuple[int, ...] | None = None
    input_order: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def node(self, name: str) -> Node:
        """The node called `name`."""
        return next(n for n in self.nodes if n.name == name)

    def consumers(self, name: str) -> tuple[Node, ...]:
        """Nodes that read `name`."""
        return tuple(n for n in self.nodes if name in n.op.inputs)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one real sample, as the network's own file takes it."""
        return self.input_type.shape if self.input_shape is None else self.input_shape

    @property
    def input_type(self) -> IntType:
        """Type of the input tensor."""
        return self.node(self.input).type

    @property
    def output_type(self) -> IntType:
        """Type of the output tensor."""
        return self.node(self.output).type


def make_node(name: str, op: Op, before: dict[str, IntType]) -> Node:
    """A node whose type is inferred from the types of the nodes `before` it."""
    return Node(name, op, op.infer(*(before[i] for i in op.inputs)))
