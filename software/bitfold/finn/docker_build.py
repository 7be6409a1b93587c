"""Runs inside FINN's container: the build that dataflow_build_config.json describes.

    python build.py    (finds the configuration, model.onnx and the samples beside itself)

Steps are FINN's own, in its order, with one more: see `widen_binary_weights`.
"""

import os
import sys
from pathlib import Path
from typing import Any


def widen_binary_weights(model: Any, cfg: Any) -> Any:
    """Two bits for weights that are all 0 or 1: FINN narrows them to what it has no source for."""
    from qonnx.core.datatype import DataType
    from qonnx.custom_op.registry import getCustomOp

    del cfg
    for node in model.graph.node:
        if not node.op_type.startswith(("MVAU", "MatrixVectorActivation")):
            continue
        layer = getCustomOp(node)
        binary = layer.get_nodeattr("weightDataType") == "BINARY"
        if binary and not layer.get_nodeattr("binaryXnorMode"):
            layer.set_nodeattr("weightDataType", "UINT2")
            model.set_tensor_datatype(node.input[1], DataType["UINT2"])
    return model


def main() -> int:
    """The builder's own status."""
    os.chdir(Path(__file__).resolve().parent)
    from finn.builder.build_dataflow import build_dataflow_cfg
    from finn.builder.build_dataflow_config import DataflowBuildConfig, default_build_dataflow_steps

    config = DataflowBuildConfig.from_json(Path("dataflow_build_config.json").read_text())
    steps = list(default_build_dataflow_steps)
    steps.insert(steps.index("step_minimize_bit_width") + 1, widen_binary_weights)
    config.steps = steps
    return int(build_dataflow_cfg("model.onnx", config))


if __name__ == "__main__":
    sys.exit(main())
