"""Functions that float32 libraries compute a unit in the last place off, now up, now down.

What comes depends even on the element's place in the tensor, so that they do not even increase.
Here they are those of float64, rounded to float32 once, out of functions that onnxruntime has in
float64.
"""

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import onnx

from bitfold.compiler.reading.quantiser import attributes


@final
class _Nodes:
    """Nodes under construction; a call appends one and gives its output's name."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.made: list[onnx.NodeProto] = []

    def __call__(self, op: str, *inputs: str | float, **given: Any) -> str:
        names = [i if isinstance(i, str) else self._number(i) for i in inputs]
        return self._append(op, names, given)

    def _number(self, value: float) -> str:
        tensor = onnx.numpy_helper.from_array(np.asarray(value, np.float64))
        return self._append("Constant", [], {"value": tensor})

    def _append(self, op: str, names: list[str], given: Mapping[str, Any]) -> str:
        out = f"{self.prefix}%{len(self.made)}"
        self.made.append(onnx.helper.make_node(op, names, [out], out, **given))
        return out


Given = Mapping[str, Any]


def _less_one(made: _Nodes, x: str) -> str:
    """exp(x) - 1 = tanh(x / 2) * (exp(x) + 1), which loses no digits near 0."""
    return made("Mul", made("Tanh", made("Mul", x, 0.5)), made("Add", made("Exp", x), 1.0))


def _elu(made: _Nodes, x: str, alpha: float, divisor: float = 1.0) -> str:
    """max(x, 0) + alpha * (exp(min(x, 0) / divisor) - 1)."""
    below = _less_one(made, made("Div", made("Min", x, 0.0), divisor))
    return made("Add", made("Max", x, 0.0), made("Mul", below, alpha))


def _celu(made: _Nodes, x: str, given: Given) -> str:
    alpha = given.get("alpha", 1.0)
    return _elu(made, x, alpha, alpha)


def _selu(made: _Nodes, x: str, given: Given) -> str:
    alpha = given.get("alpha", 1.67326319217681884765625)
    return made("Mul", _elu(made, x, alpha), given.get("gamma", 1.05070102214813232421875))


def _softplus(made: _Nodes, x: str) -> str:
    """max(x, 0) + log(1 + exp(-abs(x))), which does not overflow."""
    small = made("Exp", made("Neg", made("Abs", x)))
    return made("Add", made("Max", x, 0.0), made("Log", made("Add", small, 1.0)))


_MADE: Mapping[str, Callable[[_Nodes, list[str], Given], str]] = {
    "Sigmoid": lambda made, x, given: made("Sigmoid", *x),
    "Tanh": lambda made, x, given: made("Tanh", *x),
    "Log": lambda made, x, given: made("Log", *x),
    "Pow": lambda made, x, given: made("Pow", *x),
    "Elu": lambda made, x, given: _elu(made, x[0], given.get("alpha", 1.0)),
    "Celu": lambda made, x, given: _celu(made, x[0], given),
    "Selu": lambda made, x, given: _selu(made, x[0], given),
    "Softplus": lambda made, x, given: _softplus(made, x[0]),
    "Mish": lambda made, x, given: made("Mul", x[0], made("Tanh", _softplus(made, x[0]))),
}
TRANSCENDENTAL = tuple(_MADE)


def in_float64(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Nodes from the float32 inputs to the float32 output of a node of `TRANSCENDENTAL`."""
    (target,) = node.output
    made = _Nodes(target)
    wide = [made("Cast", source, to=onnx.TensorProto.DOUBLE) for source in node.input]
    result = _MADE[node.op_type](made, wide, attributes(node))
    last = onnx.helper.make_node("Cast", [result], [target], node.name, to=onnx.TensorProto.FLOAT)
    return [*made.made, last]
