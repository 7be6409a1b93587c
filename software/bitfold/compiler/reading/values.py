"""What every ONNX tensor is while a model is walked, and the forms in which nodes read it."""

from typing import final

import onnx

from bitfold.compiler.reading.border import InputRule, annotated_input
from bitfold.compiler.reading.builder import Builder
from bitfold.compiler.reading.codes import as_codes, with_zero
from bitfold.compiler.reading.joins import made_whole
from bitfold.compiler.reading.stored import Value
from bitfold.compiler.reading.stream import Cat, Stream
from bitfold.errors import UnsupportedOp


@final
class Values:
    """Tensors by name, the nodes made so far, and the rule of the input once it is known.

    datatype: the QONNX type that the file states for its input; "" if none.
    """

    def __init__(self, builder: Builder, datatype: str) -> None:
        self.builder, self.datatype = builder, datatype
        self.known: dict[str, Value] = {}
        self.rule: InputRule | None = None

    def whole(self, node: onnx.NodeProto, at: int) -> Stream:
        """Input `at` as one stream; a concatenation is made, once for all its readers."""
        value = self.known[node.input[at]]
        if isinstance(value, Cat):
            tensor = node.input[at]
            value = made_whole(value, tensor, node.name, self.builder)
            self.known[tensor] = value
        assert isinstance(value, Stream)
        return value

    def integers(self, node: onnx.NodeProto, at: int = 0) -> Stream:
        """Input `at` as a stream of integers, steps and all."""
        x = self.whole(node, at)
        if x.type is not None:
            return x
        x, rule = annotated_input(x, self.datatype, self.builder, node.name)
        self.set_rule(rule, node.name)
        self.known[node.input[at]] = x
        return x

    def codes(self, node: onnx.NodeProto, summed: bool = True) -> Stream:
        """The first input as quantised integers without steps; `summed`: they must have a zero."""
        x = self.integers(node)
        codes = as_codes(x, node.name, self.builder)
        if summed:
            return with_zero(codes, self.builder)
        return codes

    def set_rule(self, rule: InputRule, name: str) -> None:
        """Note how the input is quantised, once. Raises: UnsupportedOp the second time."""
        if self.rule is not None:
            raise UnsupportedOp(
                f"node {name!r}: the input is quantised a second time, and otherwise; quantise it "
                "once and let both branches read that"
            )
        self.rule = rule
