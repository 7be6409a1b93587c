"""The quantisers of a model: of constants, of the input, and of what the network computes."""

from dataclasses import replace
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.border import quantise_input_stream
from bitfold.compiler.reading.constants import Constant, quantised
from bitfold.compiler.reading.quantiser import (
    MAX_BIAS_BITS,
    MAX_BITS,
    Quantiser,
    Ties,
    parse_quantiser,
)
from bitfold.compiler.reading.requantise import requantise
from bitfold.compiler.reading.stored import Inputs, Value
from bitfold.compiler.reading.stream import (
    Cat,
    Fill,
    Runtime,
    Stream,
    evaluator,
    per_channel,
    uniform,
)
from bitfold.compiler.reading.truncation import holding, parse_truncation
from bitfold.compiler.reading.values import Values
from bitfold.compiler.thresholds import extremes


@final
class Quantising:
    """Reads quantisers one after another; remembers how the input is quantised."""

    def __init__(self, values: Values, opset: int, ties: Ties) -> None:
        self.values, self.opset, self.ties = values, opset, ties
        self._first: tuple[Quantiser, Stream, Stream] | None = None

    def read(self, node: onnx.NodeProto, inputs: Inputs) -> Value:
        """The output of a quantiser. Raises: UnsupportedOp naming the node."""
        parameters = [i.value if isinstance(i, Constant) else None for i in inputs[1:]]
        source, out = inputs[0], node.output[0]
        if isinstance(source, Constant):
            # A constant of one axis is a bias; what is not is refused where it is used.
            most = MAX_BIAS_BITS if source.value.ndim <= 1 else MAX_BITS
            return quantised(self._parsed(node, parameters, most, "even"), source)
        assert isinstance(source, Runtime)
        quantiser = self._parsed(node, parameters, MAX_BITS, self.ties)
        if isinstance(source, Cat) and (not source.uniform or node.op_type == "Trunc"):
            source = self.values.whole(node, 0)
        scale = per_channel(source, quantiser.scale, f"node {node.name!r}")
        if isinstance(source, Cat):
            return self._quantised_parts(quantiser, scale, source, out)
        if source.type is None:
            return self._input(quantiser, scale, source, out)
        if not quantiser.clips:
            kind, function = source.type, evaluator(source, self.opset)
            quantiser = holding(quantiser, extremes(function, kind.min, kind.max, source.channels))
        return requantise(quantiser, scale, source, self.values.builder, out)

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
                parts.append(requantise(quantiser, own, part, self.values.builder, out))
            first = last
        return replace(cat, parts=tuple(parts))

    def _input(
        self, quantiser: Quantiser, scale: np.ndarray[Any, Any], x: Stream, out: str
    ) -> Stream:
        if self._first is not None:
            before, raw, made = self._first
            if quantiser.same_as(before) and raw.tensor == x.tensor:
                return replace(made, view=x.view, source=out, origin=None)
        made, rule = quantise_input_stream(quantiser, scale, x, self.values.builder, out)
        self.values.set_rule(rule, quantiser.name)
        self._first = (quantiser, x, made)
        return made
