"""Maps in FINN-ONNX: maxima, sums of windows, upsampling, zeros around."""

from typing import Any

import numpy as np

from bitfold.errors import UnsupportedOp
from bitfold.finn.file import GENERAL, HARDWARE, File, Reading, finn_type
from bitfold.finn.layers import Place, windows
from bitfold.ir.graph import Node
from bitfold.ir.ops import MaxPool, SumPool, Upsample, ZeroPad
from bitfold.ir.types import IntType


def max_pool(file: File, node: Node, reading: Reading) -> None:
    """FINN's pool; of single pixels, windows alone."""
    op = node.op
    assert isinstance(op, MaxPool)
    if op.kernel == (1, 1):  # every n-th pixel: a window of one, with nothing behind it
        place = Place(kernel=(1, 1), stride=op.stride, pads=op.pads)
        windows(file, op.x, node.name, place, reading.types[op.x])
        return
    if any(op.pads) and reading.types[op.x].min != 0:
        raise UnsupportedOp(
            f"node {node.name!r}: FINN pads with zeros, which is wrong for the maximum of values "
            "that may be negative. Let a ReLU stand in front of the pool"
        )
    if op.kernel[0] < op.stride[0] or op.kernel[1] < op.stride[1]:
        raise UnsupportedOp(
            f"node {node.name!r}: FINN has no pool whose stride {op.stride} is longer than its "
            f"kernel {op.kernel}"
        )
    given: dict[str, Any] = {"kernel_shape": op.kernel, "strides": op.stride, "pads": op.pads}
    file.node("MaxPoolNHWC", [op.x], node.name, GENERAL, **given)


def sum_pool(file: File, node: Node, reading: Reading) -> None:
    """Of the whole map FINN's GlobalAccPool, else its mean, of which no bit is cut off."""
    op = node.op
    assert isinstance(op, SumPool)
    kind = reading.types[op.x]
    if not any(op.pads) and op.kernel == kind.shape[1:]:
        given: dict[str, Any] = {
            "backend": "fpgadataflow",
            "NumChannels": kind.channels,
            "PE": 1,
            "inputDataType": finn_type(kind),
            "numInputVectors": [1, *kind.shape[1:]],
        }
        file.node("GlobalAccPool", [op.x], node.name, HARDWARE, **given)
        return
    if any(op.pads) or len({*op.kernel, *op.stride}) != 1:
        raise UnsupportedOp(
            f"node {node.name!r}: FINN averages square windows without padding whose stride is "
            f"their side; kernel {op.kernel}, stride {op.stride}, pads {op.pads}"
        )
    side = op.kernel[0]
    most = (1 << kind.bits) - 1  # as qonnx counts: all bits of the codes, of every pixel
    file.node(
        "QuantAvgPool2d",
        [op.x],
        node.name,
        GENERAL,
        stride=side,
        kernel=side,
        ibits=kind.bits,
        obits=(most * side * side).bit_length(),  # as wide as the sum: nothing is cut off
        signed=int(kind.signed),
        data_layout="NHWC",
    )


def upsample(file: File, node: Node, reading: Reading) -> None:
    """FINN's layer itself: its builder looks for Upsample, which ONNX has no more, not Resize."""
    op = node.op
    assert isinstance(op, Upsample)
    kind = reading.types[op.x]
    (_, high, wide), (_, height, width) = node.type.shape, kind.shape
    given: dict[str, Any] = {
        "backend": "fpgadataflow",
        "SIMD": 1,
        "HO": high,
        "WO": wide,
        "HI": height,
        "WI": width,
        "NumChannels": kind.channels,
        "inputDataType": finn_type(kind),
        "batchSize": 1,
        "cpp_interface": "hls_vector",
        "hls_style": "freerunning",
    }
    file.node("UpsampleNearestNeighbour", [op.x], node.name, HARDWARE, **given)


def pad(file: File, node: Node, reading: Reading) -> None:
    """Of the map: FMPadding. Of channels: a product with a matrix of zeros and ones."""
    op = node.op
    assert isinstance(op, ZeroPad)
    kind, top = reading.types[op.x], op.x
    if any(op.pads):
        channels, height, width = kind.shape
        up, left, down, right = op.pads
        shape = (channels, height + up + down, width + left + right)
        kind = IntType(shape=shape, bits=kind.bits, signed=kind.signed, bipolar=kind.bipolar)
        top = file.tensor(f"{node.name}_map" if any(op.channels) else node.name, kind)
        constants = (
            file.plain(f"{node.name}_pads", np.array(op.pads, np.int64)),
            file.plain(f"{node.name}_zero", np.array(0, np.float32)),
            file.plain(f"{node.name}_axes", np.array([1, 2], np.int64)),
        )
        file.node("Pad", [op.x, *constants], top, mode="constant")
    if any(op.channels):
        before, behind = op.channels
        matrix = np.pad(np.eye(kind.channels, dtype=np.int64), ((0, 0), (before, behind)))
        file.node("MatMul", [top, file.constant(f"{node.name}_ones", matrix, "INT2")], node.name)
