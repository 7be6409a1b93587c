import numpy as np
import pytest
from qonnx.custom_op.general.quant import quant

from bitfold.ir import Graph, IntType, ValueMap, make_node, quantise_input
from bitfold.ir.ops import Input


def graph_for(kind, scale, bias=0.0, **more):
    return Graph(
        nodes=(make_node("x", Input(kind), {}),),
        input="x",
        output="x",
        input_map=ValueMap(np.asarray(scale, np.float64), np.asarray(bias, np.float64)),
        output_map=ValueMap(np.ones(()), np.zeros(())),
        **more,
    )


@pytest.mark.parametrize("scale", [0.25, 0.1, [0.3, 0.25]])
@pytest.mark.parametrize(("signed", "narrow"), [(True, False), (True, True), (False, True)])
def test_equals_qonnx_quant_on_ties_and_beyond_the_range(scale, signed, narrow):
    kind = IntType(shape=(2, 3), bits=3, signed=signed)
    limits = (kind.min + (signed and narrow), kind.max - (not signed and narrow))
    graph = graph_for(kind, scale, input_range=limits)
    x = (np.arange(-60, 60, dtype=np.float32).reshape(20, 2, 3)) * np.float32(0.05)
    factor = np.asarray(scale, np.float32).reshape(-1, 1) if isinstance(scale, list) else scale
    factor = np.float32(factor)
    want = quant(x, factor, np.float32(0), np.float32(3), signed, narrow, "ROUND") / factor
    np.testing.assert_array_equal(quantise_input(graph, x), np.rint(want))


def test_zero_is_plus_one_and_the_least_negative_is_not():
    kind = IntType(shape=(4,), bits=1, signed=True, bipolar=True)
    x = np.array([[0.0, -0.0, -1e-40, 1e-40]], np.float32)
    np.testing.assert_array_equal(quantise_input(graph_for(kind, 0.5), x), [[1, 1, -1, 1]])
    lowered = IntType(shape=(4,), bits=1, signed=False)
    graph = graph_for(lowered, 1.0, -0.5, input_by_sign=True)
    np.testing.assert_array_equal(quantise_input(graph, x), [[1, 1, 0, 1]])
