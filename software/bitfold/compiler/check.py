"""Compiled graph against the QONNX graph it came from, integer by integer.

Two references, because floats are ambiguous in two places only, sums (of a layer, of a mean) and
functions as Sigmoid or Elu, whose float32 versions differ from library to library and do not
increase:
exact   the QONNX graph with exact accumulation, and those functions rounded from float64: what
        the hardware must equal.
float32 the QONNX graph in float32 throughout, as onnxruntime and qonnx execute it. Its rounding
        may move a value across a quantiser's step; such samples are counted, never hidden.
The float32 one is evaluated in batches, and on the first samples by qonnx itself as well.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import onnx
from numpy.typing import NDArray

from bitfold.compiler.read_qonnx import graph_input, live_nodes, read_with_tensor, standard_opset
from bitfold.compiler.reading.execute import Batched
from bitfold.compiler.reading.load import load_model, one_line
from bitfold.compiler.reading.quantiser import Ties
from bitfold.errors import ModelError
from bitfold.ir.graph import Graph, per_channel
from bitfold.ir.interp import quantise_input, run
from bitfold.ir.types import Ints

BATCH = 64
Floats = NDArray[np.float32]


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare` found; counts of output integers, and of samples where it says so."""

    samples: int
    outputs: int  # integers compared: samples x output elements
    mismatches: int  # against exact accumulation; expected 0
    argmax_mismatches: int  # samples, against exact accumulation; expected 0
    float32_mismatches: int  # against float32 sums
    float32_argmax_mismatches: int  # samples, against float32 sums
    qonnx_samples: int  # samples that qonnx itself executed
    qonnx_mismatches: int  # integers, our batched float32 evaluation against qonnx; expected 0
    reference: str = "QONNX graph, exact accumulation; float32 sums counted apart"


def total(found: Sequence[Comparison]) -> Comparison:
    """Counts of several comparisons together."""
    first, *others = found
    for each in others:
        sums = {
            name: getattr(first, name) + value
            for name, value in asdict(each).items()
            if isinstance(value, int)
        }
        first = replace(first, **sums)
    return first


def compare(
    model: Path, graph: Graph, x: Floats, qonnx_samples: int = 4, ties: Ties = "even"
) -> Comparison:
    """Run `graph` and the QONNX file on x (N, *sample shape) float32 and count differences.

    ties: as `graph` was read with; qonnx itself knows "even" alone and runs no sample otherwise.

    Raises: ModelError as `read_qonnx` does, or when x does not fit the model's input.
    """
    proto = load_model(model)
    value = graph_input(proto)
    reading = read_with_tensor(model, ties)
    tensor = reading.tensor
    if tuple(x.shape[1:]) != graph.sample_shape or not len(x):
        raise ModelError(
            f"{model}: samples of shape {x.shape[1:]}, the input takes {graph.sample_shape}; "
            "give (N, *input shape) with N at least 1"
        )
    x = np.ascontiguousarray(x, np.float32)
    nodes = [node for _, node in live_nodes(proto)]
    opset = standard_opset(proto)
    exact, rounded = (Batched(proto, opset, exact=e, ties=ties) for e in (True, False))
    parts = [x[i : i + BATCH] for i in range(0, len(x), BATCH)]
    ours = np.concatenate([run(graph, quantise_input(graph, p)) for p in parts])
    ours = ours.reshape(len(x), -1)
    want = np.concatenate([exact.run(nodes, value.name, p, tensor) for p in parts])
    near = np.concatenate([rounded.run(nodes, value.name, p, tensor) for p in parts])
    few = min(qonnx_samples, len(x)) if ties == "even" else 0
    try:
        theirs = _by_qonnx(proto, value.name, tensor, x[:few]) if few else near[:0]
    except Exception as error:  # of qonnx, onnx or onnxruntime, which share no public base
        raise ModelError(
            f"{model}: QONNX itself does not run it ({one_line(error)}); are the types and shapes "
            "that the file states right?"
        ) from None
    logits = _reals(graph, ours)
    want, near, theirs = (_placed(part, reading.view) for part in (want, near, theirs))
    return Comparison(
        samples=len(x),
        outputs=ours.size,
        mismatches=_differing(graph, ours, want),
        argmax_mismatches=_argmax_differing(logits, want),
        float32_mismatches=_differing(graph, ours, near),
        float32_argmax_mismatches=_argmax_differing(logits, near),
        qonnx_samples=few,
        qonnx_mismatches=int(
            (_integers(graph, theirs) != _integers(graph, near[:few])).sum() if few else 0
        ),
    )


def _placed(reals: NDArray[Any], view: Ints) -> NDArray[Any]:
    """A tensor of the file with its elements where the output integers have them: (N, K)."""
    placed = np.empty((len(reals), view.size), reals.dtype)
    placed[:, view.reshape(-1)] = reals.reshape(len(reals), view.size)
    return placed


def _shaped(graph: Graph, values: NDArray[np.floating]) -> NDArray[np.float64]:
    return values.reshape(len(values), *graph.output_type.shape).astype(np.float64)


def _integers(graph: Graph, reals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Output integers (N, -1) that stand behind `reals`; the reals where the scale is 0.

    Held in float64, so that NaN and infinity count as mismatches and do not wrap.
    """
    values = _shaped(graph, reals)
    scale = np.broadcast_to(per_channel(graph.output_map.scale, values.ndim), values.shape)
    bias = per_channel(graph.output_map.bias, values.ndim)
    divisor = np.where(scale == 0, 1.0, scale)
    codes = np.where(scale == 0, values, np.rint((values - bias) / divisor))
    return np.asarray(codes).reshape(len(reals), -1)


def _reals(graph: Graph, integers: Ints) -> NDArray[np.float64]:
    values = integers.reshape(len(integers), *graph.output_type.shape)
    return graph.output_map.to_real(values).reshape(len(integers), -1)


def _differing(graph: Graph, ours: Ints, reals: NDArray[np.floating]) -> int:
    values = ours.reshape(len(ours), *graph.output_type.shape)
    scale = np.broadcast_to(per_channel(graph.output_map.scale, values.ndim), values.shape)
    constant = scale.reshape(len(ours), -1) == 0
    wanted = _integers(graph, reals)
    known = np.where(constant, _reals(graph, ours).astype(np.float32), ours)
    return int((known != wanted).sum())


def _argmax_differing(ours: NDArray[np.float64], reals: NDArray[np.floating]) -> int:
    """Samples whose first greatest output differs; equal float32 values count as a tie."""
    other = reals.reshape(len(reals), -1).astype(np.float64)
    mine, theirs = ours.argmax(1), other.argmax(1)
    rows = np.arange(len(ours))
    tied = ours[rows, mine].astype(np.float32) == ours[rows, theirs].astype(np.float32)
    return int(((mine != theirs) & ~tied).sum())


def _by_qonnx(proto: onnx.ModelProto, name: str, tensor: str, x: Floats) -> NDArray[np.float64]:
    """The samples, one after another, through qonnx's own node-by-node execution."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.fold_constants import (
        FoldConstants,
    )
    from qonnx.transformation.infer_shapes import (
        InferShapes,
    )

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    shape = next(i for i in copy.graph.input if i.name == name).type.tensor_type.shape
    shape.dim[0].dim_value = max(1, shape.dim[0].dim_value)
    batch = shape.dim[0].dim_value
    wrapped = ModelWrapper(copy).transform(InferShapes()).transform(FoldConstants())
    results = []
    for sample in x:
        feed = np.repeat(sample[None], batch, 0)
        context = execute_onnx(wrapped, {name: feed}, return_full_exec_context=True)
        results.append(np.asarray(context[tensor][:1], np.float64))
    return np.concatenate(results)
