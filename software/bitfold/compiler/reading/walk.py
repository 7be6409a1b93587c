"""The walk over a model's nodes: each gives its output a constant, a stream or a host value."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.border import InputRule, annotated_input, quantise_input_stream
from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.codes import as_codes, with_zero
from bitfold.compiler.reading.constants import FOLDED, Constant, fold, quantised
from bitfold.compiler.reading.elementwise import (
    ELEMENTWISE,
    FREE,
    apply_elementwise,
    change_shape,
)
from bitfold.compiler.reading.joins import SUMS, made_whole, read_concat, read_sum
from bitfold.compiler.reading.layers import read_conv, read_dense
from bitfold.compiler.reading.moves import (
    pad_channels,
    pad_map,
    pads_of,
    read_depth_to_space,
    read_resize,
)
from bitfold.compiler.reading.operators import HOST, LAYERS, POOLS, QUANTISERS
from bitfold.compiler.reading.output import Tail, finish
from bitfold.compiler.reading.pools import MEANS, read_maxpool, read_mean, read_reduced_mean
from bitfold.compiler.reading.quantiser import (
    MAX_BIAS_BITS,
    MAX_BITS,
    Quantiser,
    Ties,
    attributes,
    parse_quantiser,
)
from bitfold.compiler.reading.requantise import requantise
from bitfold.compiler.reading.stored import Host, Inputs, Value, constant_node
from bitfold.compiler.reading.stream import (
    Cat,
    Fill,
    Runtime,
    Stream,
    evaluator,
    join,
    per_channel,
    uniform,
)
from bitfold.compiler.reading.truncation import holding, parse_truncation
from bitfold.compiler.reading.windows import NotAMap
from bitfold.compiler.thresholds import extremes
from bitfold.errors import ModelError, UnsupportedOp


@final
class Walk:
    """The walk over the nodes; lives for one reading."""

    def __init__(self, opset: int, datatype: str, ties: Ties) -> None:
        self.opset = opset
        self.datatype = datatype
        self.ties = ties
        self.builder = Builder(opset)
        self.values: dict[str, Value] = {}
        self.rule: InputRule | None = None
        self._first: tuple[Quantiser, Stream, Stream] | None = None

    def visit(self, order: int, node: onnx.NodeProto) -> None:
        """Give every used output of the node a value."""
        value = self._value(order, node)
        for name in node.output if isinstance(value, Host) else node.output[:1]:
            self.values[name] = value

    def _value(self, order: int, node: onnx.NodeProto) -> Value:
        subject = f"node {node.name!r} ({node.op_type})"
        inputs = [self.values.get(i) if i else None for i in node.input]
        lost = [i for i, v in zip(node.input, inputs, strict=True) if i and v is None]
        if lost:
            raise UnsupportedOp(f"{subject}: reads {lost[0]!r}, a second output of its node")
        if node.op_type == "Constant":
            return constant_node(node)
        for each in inputs:
            if isinstance(each, Host):
                return self._behind_host(node, each, inputs)
        known = [i for i in inputs if not isinstance(i, Host)]
        if node.op_type in QUANTISERS:
            return self._quantiser(node, known)
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
            return change_shape(node, [self._whole(node, 0), *known[1:]], self.opset)
        if node.op_type in POOLS:
            return read_maxpool(node, self._integers(node), self.builder, order)
        if node.op_type == "DepthToSpace":
            return read_depth_to_space(node, self._integers(node), self.builder, order)
        if node.op_type in ("Resize", "Upsample"):
            x = self._integers(node)
            return read_resize(node, x, known, self.builder, order)
        if node.op_type == "Pad":
            return self._pad(node, known)
        if node.op_type == "ReduceMean":
            axes = known[1] if len(known) > 1 else None
            if isinstance(axes, Runtime):
                raise UnsupportedOp(f"{subject}: its axes must be constants")
            return read_reduced_mean(node, self._codes(node), axes, self.builder, order)
        if node.op_type in MEANS:
            return read_mean(node, self._codes(node), self.builder, order)
        if node.op_type in LAYERS:
            read = read_conv if node.op_type == "Conv" else read_dense
            x = self._codes(node, summed=False)
            return read(node, x, known, self.builder, order)
        raise UnsupportedOp(f"{subject}: compiled on constants only, not on a runtime tensor")

    def _behind_host(
        self, node: onnx.NodeProto, host: Host, inputs: Sequence[Value | None]
    ) -> Host:
        if node.op_type in (*QUANTISERS, *LAYERS):
            raise UnsupportedOp(
                f"node {node.name!r} ({node.op_type}): stands behind {host.nodes[0]!r}, which is "
                "compiled only at the end of a network"
            )
        for each in inputs:
            other = isinstance(each, Host) and each.tensor != host.tensor
            if other or isinstance(each, Runtime):
                raise UnsupportedOp(
                    f"node {node.name!r} ({node.op_type}): reads what stands behind "
                    f"{host.nodes[0]!r}, which is left to the host, and another tensor of the "
                    "network; the host gets one tensor. Join them in front of it"
                )
        return replace(host, nodes=(*host.nodes, node.name))

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
                known[at] = self._whole(node, at)
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
        streams = [self._integers(node, at) for at in range(len(known))]
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
                operands[at] = self._integers(node, at)
            elif isinstance(each, Cat) and not each.uniform:
                operands[at] = self._whole(node, at)
        return read_concat(node, operands)

    def _pad(self, node: onnx.NodeProto, known: Inputs) -> Value:
        x = self._whole(node, 0)
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
            x = pad_map(node, self._codes(node), around, self.builder)
        else:
            x = self._integers(node)
        return pad_channels(node, x, pads[1], pads[rank + 1]) if pads[1] or pads[rank + 1] else x

    def _quantiser(self, node: onnx.NodeProto, inputs: Inputs) -> Value:
        parameters = [i.value if isinstance(i, Constant) else None for i in inputs[1:]]
        source, out = inputs[0], node.output[0]
        if isinstance(source, Constant):
            # A constant of one axis is a bias; what is not is refused where it is used.
            most = MAX_BIAS_BITS if source.value.ndim <= 1 else MAX_BITS
            return quantised(self._parsed(node, parameters, most, "even"), source)
        assert isinstance(source, Runtime)
        quantiser = self._parsed(node, parameters, MAX_BITS, self.ties)
        if isinstance(source, Cat) and (not source.uniform or node.op_type == "Trunc"):
            source = self._whole(node, 0)
        scale = per_channel(source, quantiser.scale, f"node {node.name!r}")
        if isinstance(source, Cat):
            return self._quantised_parts(quantiser, scale, source, out)
        if source.type is None:
            return self._input(quantiser, scale, source, out)
        if not quantiser.clips:
            kind, function = source.type, evaluator(source, self.opset)
            quantiser = holding(quantiser, extremes(function, kind.min, kind.max, source.channels))
        return requantise(quantiser, scale, source, self.builder, out)

    def _parsed(
        self, node: onnx.NodeProto, parameters: list[Any], most: int, ties: Ties
    ) -> Quantiser:
        if node.op_type == "Trunc":
            return parse_truncation(node, parameters)
        return parse_quantiser(node, parameters, most_bits=most, ties=ties)

    def _quantised_parts(
        self, quantiser: Quantiser, scale: np.ndarray[Any, Any], cat: Cat, out: str
    ) -> Cat:
        parts: list[Stream | Fill] = []
        first = 0
        for part in cat.parts:
            last = first + part.shape[0]
            own = uniform(scale[first:last]) if scale.ndim else scale
            if isinstance(part, Fill):
                values = quantiser.codes(part.values, own) * own
                parts.append(replace(part, values=values))
            else:
                parts.append(requantise(quantiser, own, part, self.builder, out))
            first = last
        return replace(cat, parts=tuple(parts))

    def _input(
        self, quantiser: Quantiser, scale: np.ndarray[Any, Any], x: Stream, out: str
    ) -> Stream:
        if self._first is not None:
            before, raw, made = self._first
            if quantiser.same_as(before) and raw.tensor == x.tensor:
                return replace(made, view=x.view, source=out, origin=None)
        made, rule = quantise_input_stream(quantiser, scale, x, self.builder, out)
        self._set_rule(rule, quantiser.name)
        self._first = (quantiser, x, made)
        return made

    def _whole(self, node: onnx.NodeProto, at: int) -> Stream:
        """Input `at` as one stream; a concatenation is made, once for all its readers."""
        value = self.values[node.input[at]]
        if isinstance(value, Cat):
            tensor = node.input[at]
            value = made_whole(value, tensor, node.name, self.builder)
            self.values[tensor] = value
        assert isinstance(value, Stream)
        return value

    def _integers(self, node: onnx.NodeProto, at: int = 0) -> Stream:
        """Input `at` as a stream of integers, steps and all."""
        x = self._whole(node, at)
        if x.type is not None:
            return x
        x, rule = annotated_input(x, self.datatype, self.builder, node.name)
        self._set_rule(rule, node.name)
        self.values[node.input[at]] = x
        return x

    def _codes(self, node: onnx.NodeProto, summed: bool = True) -> Stream:
        """The first input as quantised integers without steps; `summed`: they must have a zero."""
        x = self._integers(node)
        codes = as_codes(x, node.name, self.builder)
        if summed:
            return with_zero(codes, self.builder)
        return codes

    def _set_rule(self, rule: InputRule, name: str) -> None:
        if self.rule is not None:
            raise UnsupportedOp(
                f"node {name!r}: the input is quantised a second time, and otherwise; quantise it "
                "once and let both branches read that"
            )
        self.rule = rule

    def finish(self, outputs: list[str]) -> Tail:
        """End at the graph's outputs; several may be of one node that is left to the host.

        Constants among them say nothing of the input: Brevitas writes scales and widths there.
        """
        moving = [name for name in outputs if not isinstance(self.values.get(name), Constant)]
        outputs = moving or outputs
        values = [self.values.get(name) for name in outputs]
        value, tensor = values[0], outputs[0]
        host: tuple[str, ...] = ()
        if isinstance(value, Host):
            shared = all(isinstance(v, Host) and v.tensor == value.tensor for v in values)
            tensor, host = value.tensor, value.nodes
        else:
            shared = len(outputs) == 1
        if not shared:
            raise ModelError(
                f"the model has {len(outputs)} outputs, {', '.join(outputs[:4])}; one is compiled"
            )
        stream = self.values.get(tensor)
        if isinstance(stream, Cat):
            stream = made_whole(stream, tensor, tensor, self.builder)
        if not isinstance(stream, Stream):
            raise ModelError(f"output {tensor!r} does not depend on the input")
        return finish(stream, host, self.builder)


def _is_false(value: Value | None) -> bool:
    return value is None or (isinstance(value, Constant) and not np.any(value.value))
