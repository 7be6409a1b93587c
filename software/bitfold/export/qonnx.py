"""A quantised model to a QONNX file, and the file back to outputs."""

import warnings

import numpy as np
import numpy.typing as npt
import torch
from onnx import ModelProto
from torch import nn

with warnings.catch_warnings():
    # Both packages warn of their own deprecated parts while they are imported.
    warnings.simplefilter("ignore")
    from brevitas.export import export_qonnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes
    from qonnx.util.cleanup import cleanup_model

Floats = npt.NDArray[np.float32]


def to_qonnx(model: nn.Module, shape: tuple[int, int, int]) -> ModelProto:
    """The QONNX graph of `model` in evaluation mode, for one image of `shape` (C, H, W).

    Weights are written unquantised, each behind its Quant node.
    """
    with warnings.catch_warnings():
        # torch deprecates this exporter, but FINN rejects every file of the new one.
        warnings.simplefilter("ignore")
        made = export_qonnx(model.cpu(), args=torch.zeros(1, *shape), dynamo=False)
    graph: ModelProto = cleanup_model(ModelWrapper(made)).model
    return graph


def with_batch(model: ModelProto, batch: int) -> ModelProto:
    """The same graph for `batch` images: only the declared shapes change."""
    copy = ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for value in (*copy.graph.input, *copy.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    graph: ModelProto = ModelWrapper(copy).transform(InferShapes()).model
    return graph


def run_qonnx(model: ModelProto, x: Floats) -> Floats:
    """Outputs (N, classes) of the graph for x (N, C, H, W), by qonnx's reference execution."""
    wrapped = ModelWrapper(with_batch(model, len(x)))
    name_in, name_out = wrapped.graph.input[0].name, wrapped.graph.output[0].name
    result: Floats = execute_onnx(wrapped, {name_in: x})[name_out]
    return result
