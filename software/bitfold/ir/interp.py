"""The golden run: evaluates a graph on a batch of integers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.graph import Graph, per_channel
from bitfold.ir.ops import Input
from bitfold.ir.rounding import ROUNDING
from bitfold.ir.types import Ints


def quantise_input(graph: Graph, x: NDArray[np.floating]) -> Ints:
    """Real inputs (N, *sample shape) to the graph's input integers (N, *input shape).

    As QONNX Quant does: float32 (x - bias) / scale, clip, round as `graph.input_rounding` says. As
    BipolarQuant does where the input is bipolar or `graph.input_by_sign`: the greater integer from
    the middle of the two reals on.
    """
    kind = graph.input_type
    if graph.input_order is not None:
        x = x.transpose(0, *(1 + axis for axis in graph.input_order))
    x = x.reshape(len(x), *kind.shape)
    low, high = graph.input_range or (kind.min, kind.max)
    if kind.bipolar or graph.input_by_sign:
        middle = graph.input_map.to_real(np.array([(low + high) / 2]).reshape([1] * x.ndim))
        return np.where(np.asarray(x, np.float32) >= middle, high, low).astype(np.int64)
    scale = per_channel(np.asarray(graph.input_map.scale, np.float32), x.ndim)
    bias = per_channel(np.asarray(graph.input_map.bias, np.float32), x.ndim)
    codes = (np.asarray(x, np.float32) - bias) / scale
    return ROUNDING[graph.input_rounding](np.clip(codes, low, high)).astype(np.int64)


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
