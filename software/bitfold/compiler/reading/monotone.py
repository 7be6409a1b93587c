"""Which chains of element-wise nodes are monotone by what their nodes are."""

import numpy as np

from bitfold.compiler.reading.quantiser import attributes
from bitfold.compiler.reading.stream import ROOT, Step, Stream

# In float32, too: each rounds correctly, or is computed in float64 (`transcendental`).
ALWAYS = {
    *("Identity", "Neg", "Relu", "Clip", "Add", "Sub", "Mul", "Max", "Min"),
    *("Sigmoid", "Tanh", "Softplus", "Log", "Floor", "Ceil", "Round", "Sign", "Sqrt"),
}
WITH_ALPHA = {"LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid", "ThresholdedRelu"}  # alpha >= 0


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
        case "Div" | "BatchNormalization":
            return bool(node.input[0] == tensor)
        case "PRelu":
            return all((np.asarray(step.constants[name]) >= 0).all() for name in others)
        case kind if kind in WITH_ALPHA:
            return bool(attributes(node).get("alpha", 0.0) >= 0)
        case _:
            return node.op_type in ALWAYS
