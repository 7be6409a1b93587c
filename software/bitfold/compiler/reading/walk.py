"""The walk over a model's nodes: each gives its output a constant, a stream or a host value."""

from typing import final

import numpy as np
import onnx

from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.constants import FOLDED, Constant, fold
from bitfold.compiler.reading.elementwise import (
    ELEMENTWISE,
    FREE,
    apply_elementwise,
    change_shape,
)
from bitfold.compiler.reading.ends import behind_host
from bitfold.compiler.reading.joins import SUMS, read_concat, read_sum
from bitfold.compiler.reading.layers import read_conv, read_dense
from bitfold.compiler.reading.moves import (
    pad_channels,
    pad_map,
    pads_of,
    read_depth_to_space,
    read_resize,
)
from bitfold.compiler.reading.operators import HOST, LAYERS, POOLS, QUANTISERS
from bitfold.compiler.reading.pools import MEANS, read_maxpool, read_mean, read_reduced_mean
from bitfold.compiler.reading.quantiser import Ties, attributes
from bitfold.compiler.reading.quantising import Quantising
from bitfold.compiler.reading.stored import Host, Inputs, Value, constant_node
from bitfold.compiler.reading.stream import Cat, Runtime, Stream, join
from bitfold.compiler.reading.values import Values
from bitfold.compiler.reading.windows import NotAMap
from bitfold.errors import UnsupportedOp


@final
class Walk:
    """The walk over the nodes; lives for one reading. What it finds is in `values`."""

    def __init__(self, opset: int, datatype: str, ties: Ties) -> None:
        self.opset = opset
        self.builder = Builder(opset)
        self.values = Values(self.builder, datatype)
        self.quantising = Quantising(self.values, opset, ties)

    def visit(self, order: int, node: onnx.NodeProto) -> None:
        """Give every used output of the node a value."""
        value = self._value(order, node)
        for name in node.output if isinstance(value, Host) else node.output[:1]:
            self.values.known[name] = value

    def _value(self, order: int, node: onnx.NodeProto) -> Value:
        subject = f"node {node.name!r} ({node.op_type})"
        inputs = [self.values.known.get(i) if i else None for i in node.input]
        lost = [i for i, v in zip(node.input, inputs, strict=True) if i and v is None]
        if lost:
            raise UnsupportedOp(f"{subject}: reads {lost[0]!r}, a second output of its node")
        if node.op_type == "Constant":
            return constant_node(node)
        for each in inputs:
            if isinstance(each, Host):
                return behind_host(node, each, inputs)
        known = [i for i in inputs if not isinstance(i, Host)]
        if node.op_type in QUANTISERS:
            return self.quantising.read(node, known)
        runtime = [i for i in known if isinstance(i, Runtime)]
        if not runtime:
            return self._folded(node, known)
        if node.op_type == "Shape":
            shape, given = runtime[0].view.shape, attributes(node)
            part = shape[given.get("start", 0) : given.get("end", len(shape))]
            return Constant(np.array(part, np.int64))
        if node.op_type in HOST:
            at = next(i for i, v in enumerate(known) if isinstance(v, Runtime))
            return Host(runtime[0], node.input[at], (node.name,))
        if node.op_type == "Concat":
            return self._concat(node, known)
        if node.op_type in SUMS and len(runtime) > 1 and len(runtime) == len(known):
            joined = self._sum(node, known)
            if joined is not None:
                return joined
        if node.op_type in ELEMENTWISE:
            return self._elementwise(order, node, known)
        if not isinstance(known[0], Runtime):
            raise UnsupportedOp(f"{subject}: its first input must be the runtime tensor")
        return self._structural(order, node, known)

    def _structural(self, order: int, node: onnx.NodeProto, known: Inputs) -> Value:
        """Nodes that read one runtime tensor, their first input, and change its shape."""
        subject = f"node {node.name!r} ({node.op_type})"
        to_float = {"to": onnx.TensorProto.FLOAT}
        if node.op_type == "Dropout" and len(known) > 2 and not _is_false(known[2]):
            raise UnsupportedOp(
                f"{subject}: training_mode is not the constant false; export the network in "
                "evaluation mode"
            )
        if node.op_type in ("Identity", "Dropout") or (
            node.op_type == "Cast" and attributes(node) == to_float
        ):
            assert isinstance(known[0], Runtime)
            return known[0]
        if node.op_type in FREE:
            return change_shape(node, [self.values.whole(node, 0), *known[1:]], self.opset)
        if node.op_type in POOLS:
            return read_maxpool(node, self.values.integers(node), self.builder, order)
        if node.op_type == "DepthToSpace":
            return read_depth_to_space(node, self.values.integers(node), self.builder, order)
        if node.op_type in ("Resize", "Upsample"):
            x = self.values.integers(node)
            return read_resize(node, x, known, self.builder, order)
        if node.op_type == "Pad":
            return self._pad(node, known)
        if node.op_type == "ReduceMean":
            axes = known[1] if len(known) > 1 else None
            if isinstance(axes, Runtime):
                raise UnsupportedOp(f"{subject}: its axes must be constants")
            return read_reduced_mean(node, self.values.codes(node), axes, self.builder, order)
        if node.op_type in MEANS:
            return read_mean(node, self.values.codes(node), self.builder, order)
        if node.op_type in LAYERS:
            read = read_conv if node.op_type == "Conv" else read_dense
            x = self.values.codes(node, summed=False)
            return read(node, x, known, self.builder, order)
        raise UnsupportedOp(f"{subject}: compiled on constants only, not on a runtime tensor")

    def _folded(self, node: onnx.NodeProto, inputs: Inputs) -> Constant:
        if node.op_type not in FOLDED:
            raise UnsupportedOp(
                f"node {node.name!r} ({node.op_type}): on constants alone; fold it before export "
                "(qonnx-cleanup)"
            )
        return fold(node, [i for i in inputs if not isinstance(i, Runtime)], self.opset)

    def _elementwise(self, order: int, node: onnx.NodeProto, known: Inputs) -> Value:
        cats = [i for i, v in enumerate(known) if isinstance(v, Cat)]
        together = sum(isinstance(v, Runtime) for v in known) > 1
        for at in cats:
            cat = known[at]
            assert isinstance(cat, Cat)
            if together or not cat.uniform:
                known[at] = self.values.whole(node, at)
        return apply_elementwise(node, known, order, self.opset)

    def _sum(self, node: onnx.NodeProto, known: Inputs) -> Stream | None:
        """An integer sum; None where all operands are functions of the same integers."""
        first = known[0]
        alike = all(
            isinstance(first, Stream) and isinstance(o, Stream) and join(first, o) is not None
            for o in known[1:]
        )
        if alike:
            return None
        streams = [self.values.integers(node, at) for at in range(len(known))]
        return read_sum(node, streams, self.builder)

    def _concat(self, node: onnx.NodeProto, known: Inputs) -> Cat:
        operands = [v for v in known if isinstance(v, Runtime)]
        if len(operands) < len(known):
            raise UnsupportedOp(
                f"node {node.name!r} (Concat): joins runtime tensors and constants; pad with "
                "zeros (Pad) instead"
            )
        for at, each in enumerate(operands):
            if isinstance(each, Stream) and each.type is None:
                operands[at] = self.values.integers(node, at)
            elif isinstance(each, Cat) and not each.uniform:
                operands[at] = self.values.whole(node, at)
        return read_concat(node, operands)

    def _pad(self, node: onnx.NodeProto, known: Inputs) -> Value:
        x = self.values.whole(node, 0)
        rank = x.view.ndim
        pads = pads_of(node, [x, *known[1:]], rank)
        if not any(pads):
            return x
        axes = x.map_axes()
        if not axes:
            raise NotAMap(f"node {node.name!r} (Pad)", x, self.builder)
        if pads[0] or pads[rank]:
            raise UnsupportedOp(f"node {node.name!r} (Pad): pads the batch")
        around = (
            (pads[2], pads[3], pads[rank + 2], pads[rank + 3])
            if axes == 2
            else (*(0, pads[2], 0, pads[rank + 2]),)
        )
        if any(around):
            x = pad_map(node, self.values.codes(node), around, self.builder)
        else:
            x = self.values.integers(node)
        return pad_channels(node, x, pads[1], pads[rank + 1]) if pads[1] or pads[rank + 1] else x


def _is_false(value: Value | None) -> bool:
    return value is None or (isinstance(value, Constant) and not np.any(value.value))
