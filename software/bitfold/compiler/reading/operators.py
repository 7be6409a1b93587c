"""Which ONNX operators are compiled, and what to say of the others."""

import onnx

from bitfold.compiler.reading.constants import FOLDED
from bitfold.compiler.reading.elementwise import ELEMENTWISE, FREE
from bitfold.compiler.reading.load import QONNX
from bitfold.errors import ModelError, UnsupportedOp

QUANTISERS = ("Quant", "IntQuant", "BipolarQuant")
LAYERS = ("Conv", "Gemm", "MatMul")
POOLS = ("MaxPool", "GlobalMaxPool")
HOST = ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "TopK")
SUPPORTED = (*QUANTISERS, *LAYERS, *POOLS, *ELEMENTWISE, *FREE, *HOST)
CONSTANT_ONLY = tuple(t for t in (*FOLDED, "Constant") if t not in SUPPORTED)
STANDARD = ("", "ai.onnx")


def check_operators(nodes: list[onnx.NodeProto]) -> None:
    """Raises: UnsupportedOp for the first unknown operator, ModelError for a float model."""
    for node in nodes:
        subject = f"node {node.name!r} ({node.op_type})"
        known = node.op_type in QUANTISERS if node.domain == QONNX else node.domain in STANDARD
        if known and node.op_type in (*SUPPORTED, *CONSTANT_ONLY):
            continue
        remedy = "Replace it, or add software/bitfold/ir/ops/ and a reader for it"
        if "channels_last" in node.domain:
            remedy = "It is channels-last; export channels-first (NCHW)"
        elif node.op_type in ("QuantizeLinear", "DequantizeLinear", "QLinearConv"):
            remedy = "Convert the file with qonnx.transformation.qcdq_to_qonnx"
        domain = f" of domain {node.domain!r}" if node.domain not in STANDARD else ""
        raise UnsupportedOp(
            f"{subject}{domain} is not supported (supported: {', '.join(sorted(SUPPORTED))}). "
            f"{remedy}"
        )
    if not any(node.op_type in QUANTISERS for node in nodes):
        raise ModelError(
            "no Quant or BipolarQuant node: a float model. Quantise it (Brevitas, QKeras) and "
            "export QONNX"
        )
