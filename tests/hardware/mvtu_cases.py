"""The layers that the benches of the matrix-vector unit run."""

from collections.abc import Mapping
from typing import Any

from mvtu_layer import Case

# fmt: off
CASES = {
    # The smallest: one product a vector.
    "tiny": Case(2, 1, 2, 1, 1, planes=1, w_planes=2, out_bits=1, tpe=2),
    # Plain layer: G < Simd, several folds, shared comparators, product longer than the search.
    "plain": Case(8, 24, 4, 8, 4, planes=3, w_planes=2, out_bits=3, tpe=2),
    # Search longer than the product: idle cycles; G > Simd with three banks; signed both ways.
    "search_bound": Case(
        6, 36, 3, 4, 12, act="signed", planes=2, w_planes=3, wp=3, ap=2, out_bits=7,
        out_signed=True, tpe=1,
    ),
    # Plane groups that do not divide the planes, on both sides, both signed.
    "odd_groups": Case(
        4, 12, 2, 6, 6, act="signed", planes=5, w_planes=4, ap=2, wp=3, out_bits=2, out_signed=True,
        tpe=2, register=1,
    ),
    "odd_unsigned": Case(
        5, 16, 1, 16, 4, planes=4, w_planes=5, ap=3, wp=2, out_bits=4, tpe=1, vectors=2,
    ),
    "bipolar_weights": Case(
        4, 20, 4, 5, 5, act="signed", planes=3, weight="bipolar", w_planes=1, ap=2, out_bits=2,
        tpe=2,
    ),
    "bipolar_unsigned": Case(
        4, 18, 2, 9, 3, planes=4, weight="bipolar", w_planes=1, out_bits=1, tpe=2,
    ),
    "xnor": Case(
        6, 21, 3, 7, 7, act="bipolar", planes=1, weight="bipolar", w_planes=1, out_bits=1, tpe=3,
    ),
    # Bipolar activations under integer weights enter as bits; thresholds and bias make up for it.
    "unipolar": Case(4, 16, 2, 8, 16, act="bipolar", planes=1, w_planes=3, out_bits=2, tpe=1),
    "last": Case(6, 20, 2, 10, 2, planes=2, w_planes=3, out_bits=0, bias=True, register=1),
    "last_unipolar": Case(4, 12, 4, 12, 4, act="bipolar", planes=1, w_planes=2, wp=2, out_bits=0),
    "last_xnor": Case(
        3, 8, 1, 8, 4, act="bipolar", planes=1, weight="bipolar", w_planes=1, out_bits=0, bias=True,
        vectors=3,
    ),
    # Input beats bound the rate: few products a vector.
    "input_bound": Case(2, 32, 2, 32, 1, planes=4, w_planes=2, ap=4, wp=2, out_bits=2, tpe=2),
    # One product a vector, one input beat, one output beat: a vector every cycle.
    "every_cycle": Case(
        4, 8, 4, 8, 8, act="bipolar", planes=1, weight="bipolar", w_planes=1, out_bits=1, tpe=4,
        register=1,
    ),
    # The step that ends a product is the sign plane of the weights, of the activations, of both.
    "negative_weights": Case(4, 16, 2, 8, 8, w_planes=1, out_bits=2, tpe=2, style=1),
    "negative_acts": Case(
        4, 16, 2, 8, 8, act="signed", planes=1, w_planes=3, wp=3, out_bits=2, tpe=2, style=1,
    ),
    "negative_both": Case(
        4, 16, 2, 8, 8, act="signed", planes=1, w_planes=1, out_bits=2, tpe=2, style=1,
    ),
    # Convolutions in groups: several folds a block and banks; one position; inputs few, XNOR.
    "blocks": Case(
        12, 24, 2, 2, 4, act="signed", planes=3, w_planes=2, out_bits=3, tpe=2, blocks=3, runs=2,
    ),
    "last_blocks": Case(4, 16, 2, 2, 1, planes=2, bias=True, out_bits=0, blocks=2, runs=4),
    "xnor_blocks": Case(
        4, 12, 1, 3, 3, act="bipolar", planes=1, weight="bipolar", w_planes=1, out_bits=1, tpe=1,
        blocks=4,
    ),
    # Signs in earlier steps alone: no inverters behind the accumulators.
    "xc7": Case(4, 16, 2, 8, 8, act="signed", planes=3, w_planes=2, out_bits=2, tpe=2, style=1),
}
# fmt: on


def case_of(parameters: Mapping[str, Any]) -> Case:
    """The case that a bench was built for."""
    return next(case for case in CASES.values() if case.parameters() == parameters)


def mvu_parameters(case: Case) -> dict[str, int | str]:
    """Of bf_mvu alone."""
    found = case.parameters()
    names = ("Pe", "Simd", "Wp", "Ap", "WeightBipolar", "ActBipolar", "Inputs", "AccWidth")
    same = {name: found[name] for name in (*names, "Style", "MemRegister")}
    inputs = case.inputs // case.blocks
    return same | {
        "Inputs": inputs,
        "MaxShift": max(s.shift for s in case.steps),
        "LastNegative": f"1'b{int(case.last_negative)}",
        "Depth": case.timing.folds * inputs // case.simd * -(-case.w_planes // case.wp),
        "File": found["WeightFile"],
    }


def mvu_case_of(parameters: Mapping[str, Any]) -> Case:
    """The case that a bench of bf_mvu was built for."""
    return next(case for case in CASES.values() if mvu_parameters(case) == parameters)
