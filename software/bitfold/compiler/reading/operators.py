"""Which ONNX operators are compiled, and what to say of the others."""

import onnx

from bitfold.compiler.reading.constants import FOLDED
from bitfold.compiler.reading.elementwise import ELEMENTWISE, FREE
from bitfold.compiler.reading.joins import SUMS
from bitfold.compiler.reading.load import QONNX, STANDARD
from bitfold.compiler.reading.pools import MEANS
from bitfold.errors import ModelError, UnsupportedOp

QUANTISERS = ("Quant", "IntQuant", "BipolarQuant", "Trunc")
LAYERS = ("Conv", "Gemm", "MatMul")
POOLS = ("MaxPool", "GlobalMaxPool")
MOVED = ("Resize", "Upsample", "DepthToSpace", "Pad")
JOINS = (*SUMS, "Concat")
HOST = ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "TopK")
SUPPORTED = tuple(
    sorted({*QUANTISERS, *LAYERS, *POOLS, *MEANS, *MOVED, *JOINS, *ELEMENTWISE, *FREE, *HOST})
)
CONSTANT_ONLY = tuple(t for t in (*FOLDED, "Constant") if t not in SUPPORTED)


# Operators of graphs that other tools have lowered already.
FINN = (
    *("MultiThreshold", "XnorPopcountMatMul", "Im2Col", "QuantAvgPool2d", "MaxPoolNHWC"),
    *("StreamingDataflowPartition", "GenericPartition"),
)
QCDQ = (
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv"),
    *("QLinearMatMul", "ConvInteger", "MatMulInteger"),
)


def _remedy(node: onnx.NodeProto) -> str:
    if "fpgadataflow" in node.domain or node.op_type.endswith(("_hls", "_rtl")):
        return "It is a hardware layer of FINN; give the QONNX file that it was built from"
    if node.op_type in FINN:
        return "It is FINN-ONNX; give the QONNX file, as it is before qonnx-to-finn conversion"
    if "channels_last" in node.domain:
        return "Of that domain Conv, MaxPool and BatchNormalization are read"
    if node.op_type in QCDQ:
        return "Convert the file with qonnx.transformation.qcdq_to_qonnx"
    if node.op_type in ("LSTM", "GRU", "RNN", "Loop", "Scan", "If"):
        return "Only feed-forward networks are compiled"
    return "Replace it, or add software/bitfold/ir/ops/ and a reader for it"


def check_operators(nodes: list[onnx.NodeProto]) -> None:
    """Raises: UnsupportedOp for the first unknown operator, ModelError for a float model."""
    for node in nodes:
        subject = f"node {node.name!r} ({node.op_type})"
        known = node.op_type in QUANTISERS if node.domain == QONNX else node.domain in STANDARD
        if known and node.op_type in (*SUPPORTED, *CONSTANT_ONLY):
            continue
        remedy = _remedy(node)
        domain = f" of domain {node.domain!r}" if node.domain not in STANDARD else ""
        raise UnsupportedOp(
            f"{subject}{domain} is not supported (supported: {', '.join(SUPPORTED)}). {remedy}"
        )
    if not any(node.op_type in QUANTISERS for node in nodes):
        raise ModelError(
            "no Quant or BipolarQuant node: a float model. Quantise it (Brevitas, QKeras) and "
            "export QONNX"
        )
