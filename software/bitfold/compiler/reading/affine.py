"""Element-wise steps of the form a * x + b, composed in float64."""

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import ROOT, Step, Stream

Doubles = NDArray[np.float64]


def affine_prefix(x: Stream, scale: Doubles, bias: Doubles) -> tuple[Doubles, Doubles, int]:
    """(scale, bias, n): the first n steps of `x` on top of scale * integer + bias.

    The steps must follow one another; n is the number of leading ones that are affine.
    """
    tensor = ROOT
    for index, step in enumerate(x.steps):
        with np.errstate(all="ignore"):  # what is not finite is refused where it is used
            after = _apply(step, tensor, scale, bias)
        if after is None:
            return scale, bias, index
        scale, bias = after
        tensor = step.node.output[0]
    return scale, bias, len(x.steps)


def _apply(
    step: Step, tensor: str, scale: Doubles, bias: Doubles
) -> tuple[Doubles, Doubles] | None:
    inputs = list(step.node.input)
    constants = [np.asarray(step.constants[i], np.float64) for i in inputs if i in step.constants]
    if inputs.count(tensor) != 1 or len(constants) != len(inputs) - 1:
        return None
    first = inputs[0] == tensor
    match step.node.op_type:
        case "Identity":
            return scale, bias
        case "Neg":
            return -scale, -bias
        case "Add":
            return scale, bias + constants[0]
        case "Sub":
            return (scale, bias - constants[0]) if first else (-scale, constants[0] - bias)
        case "Mul":
            return scale * constants[0], bias * constants[0]
        case "Div" if first and (constants[0] != 0).all():
            return scale / constants[0], bias / constants[0]
        case "BatchNormalization" if first:
            gamma, beta, mean, variance = constants
            factor = gamma / np.sqrt(variance + attributes(step.node).get("epsilon", 1e-5))
            return scale * factor, (bias - mean) * factor + beta
    return None
