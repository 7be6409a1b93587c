"""Which chains of element-wise nodes are monotone by what their nodes are."""

import numpy as np

from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import ROOT, Step, Stream

# Of one runtime argument and constants; the last ones with a parameter that must not be negative.
ALWAYS = {
    *("Identity", "Neg", "Relu", "Clip", "Add", "Sub", "Mul", "Max", "Min", "BatchNormalization"),
    *("Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Exp", "Floor", "Ceil", "Round", "Sign"),
    *("Selu", "Atan", "Asinh", "Sinh", "Log", "Sqrt"),
}
WITH_ALPHA = {"LeakyRelu", "Elu", "Celu", "HardSigmoid", "ThresholdedRelu"}


def monotone(x: Stream) -> bool:
    """Whether the steps of `x` are one chain of nodes that each rise or fall throughout."""
    tensor = ROOT
    for step in x.steps:
        if list(step.node.input).count(tensor) != 1 or not _alone(step, tensor):
            return False
        tensor = step.node.output[0]
    return tensor == x.tensor


def _alone(step: Step, tensor: str) -> bool:
    """Whether the step is monotone in `tensor` and reads nothing else but constants."""
    node = step.node
    others = [name for name in node.input if name and name != tensor]
    if any(name not in step.constants for name in others):
        return False
    match node.op_type:
        case "Div":
            return bool(node.input[0] == tensor)
        case "PRelu":
            return all((np.asarray(step.constants[name]) >= 0).all() for name in others)
        case kind if kind in WITH_ALPHA:
            return bool(attributes(node).get("alpha", 0.0) >= 0)
        case _:
            return node.op_type in ALWAYS
