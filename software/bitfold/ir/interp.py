"""The golden run: evaluates a graph on a batch of integers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.graph import Graph
from bitfold.ir.ops import Input
from bitfold.ir.types import Ints


def quantise_input(graph: Graph, x: NDArray[np.floating]) -> Ints:
    """Real inputs (N, *shape) to the graph's input integers.

    As QONNX Quant does: float32 division by the scale, clip, round half to even.
    """
    kind = graph.input_type
    scale = np.asarray(graph.input_map.scale, np.float32)
    if scale.ndim:
        scale = scale.reshape(1, -1, *([1] * (x.ndim - 2)))
    if kind.bipolar:
        return np.where(x >= 0, 1, -1).astype(np.int64)
    codes = np.asarray(x, np.float32) / scale
    return np.rint(np.clip(codes, kind.min, kind.max)).astype(np.int64)


def run(graph: Graph, x: Ints) -> Ints:
    """Output integers (N, *output shape) for input integers (N, *input shape)."""
    return run_all(graph, x)[graph.output]


def run_all(graph: Graph, x: Ints) -> Mapping[str, Ints]:
    """Every node's value, by name."""
    values: dict[str, Ints] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            values[node.name] = node.op.run(x)
        else:
            values[node.name] = node.op.run(*(values[i] for i in node.op.inputs))
    return values
