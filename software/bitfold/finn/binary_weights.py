"""Runs where FINN runs: a remedy for weights of one bit, which FINN's estimate and builds share."""

from typing import Any


def widen_binary_weights(model: Any) -> None:
    """Two bits for weights that are all 0 or 1, in place.

    FINN narrows them to one bit, of which its sources then say that they are not supported.
    """
    from qonnx.core.datatype import DataType
    from qonnx.custom_op.registry import getCustomOp

    for node in model.graph.node:
        if node.op_type not in ("MVAU_hls", "MVAU_rtl"):
            continue
        layer = getCustomOp(node)
        binary = layer.get_nodeattr("weightDataType") == "BINARY"
        if binary and not layer.get_nodeattr("binaryXnorMode"):
            layer.set_nodeattr("weightDataType", "UINT2")
            model.set_tensor_datatype(node.input[1], DataType["UINT2"])
