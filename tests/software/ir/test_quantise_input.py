import numpy as np
import pytest
from qonnx.custom_op.general.quant import quant

from bitfold.ir import Graph, IntType, ValueMap, make_node, quantise_input
from bitfold.ir.ops import Input
from bitfold.ir.rounding import ROUNDING


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


@pytest.mark.parametrize("mode", sorted(set(ROUNDING) - {"FINN"}))
def test_rounding_modes_are_those_of_qonnx(mode):
    kind = IntType(shape=(1,), bits=4, signed=True)
    graph = graph_for(kind, 0.25, input_rounding=mode)
    x = (np.arange(-90, 90, dtype=np.float32) / 32)[:, None]
    x = np.concatenate([x, np.nextafter(x, np.float32(9)), np.nextafter(x, np.float32(-9))])
    want = quant(x, np.float32(0.25), np.float32(0), np.float32(4), True, False, mode) * 4
    np.testing.assert_array_equal(quantise_input(graph, x), want)


def test_ties_of_finn_go_to_the_greater_integer():
    halves = np.array([-1.5, -0.5, 0.5, 1.5, 2.5], np.float32)
    x = np.concatenate([halves, np.nextafter(halves, np.float32(-9))])
    want = [-1, 0, 1, 2, 3, -2, -1, 0, 1, 2]
    np.testing.assert_array_equal(ROUNDING["FINN"](x), want)


def test_a_sample_of_another_layout_is_turned_first():
    kind = IntType(shape=(2, 1, 3), bits=4, signed=True)
    graph = graph_for(kind, 1.0, input_shape=(3, 2), input_order=(1, 0))
    assert graph.sample_shape == (3, 2)
    x = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    assert quantise_input(graph, x).tolist() == [[[[0, 2, 4]], [[1, 3, 5]]]]
