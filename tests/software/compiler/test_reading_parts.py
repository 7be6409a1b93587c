"""Parts of the reader against definitions that share no code with them."""

from fractions import Fraction

import numpy as np
import pytest
from onnx import helper
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant

from bitfold.compiler.reading.quantiser import Quantiser
from bitfold.compiler.reading.stream import ROOT, Step, Stream, append, evaluator, fresh_view
from bitfold.ir import IntType


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(2, 9))
def test_quantiser_equals_qonnx(bits, signed, narrow):
    x = np.concatenate([np.arange(-300, 300) / 2, [1e30, -1e30]]).astype(np.float32)
    for scale in (np.float32(1), np.float32(0.1), np.float32(0.37)):
        quantiser = Quantiser("q", np.asarray(scale), bits, signed, narrow)
        want = quant(x, scale, np.float32(0), np.float32(bits), signed, narrow, "ROUND")
        np.testing.assert_array_equal(quantiser.codes(x) * scale, want)
        assert quantiser.codes(x).min() == quantiser.low
        assert quantiser.codes(x).max() == quantiser.high


def test_bipolar_quantiser_equals_qonnx():
    x = np.array([-1.0, -1e-40, -0.0, 0.0, 1e-40, 3.0], np.float32)
    quantiser = Quantiser("q", np.ones((), np.float32), 1, signed=True, bipolar=True)
    np.testing.assert_array_equal(quantiser.codes(x), binary_quant(x, np.float32(1)))
    assert np.isnan(quantiser.codes(np.array([np.nan], np.float32))).all()


def test_an_accumulator_times_its_scale_is_rounded_once():
    scale = float(np.float32(0.1)) * float(np.float32(0.3))
    kind = IntType(shape=(1,), bits=24, signed=True)
    stream = Stream("acc", kind, (1,), np.asarray(scale), fresh_view(1, (1,)), "acc")
    integers = np.random.default_rng(0).integers(kind.min, kind.max, (4000, 1))
    got = evaluator(stream, 13)(integers)
    for integer, real in zip(integers[:, 0].tolist(), got[:, 0], strict=True):
        exact = Fraction(integer) * Fraction(scale)
        error = abs(Fraction(float(real)) - exact)
        ulp = Fraction(float(np.spacing(abs(real))))
        assert error * 2 <= ulp, (integer, real)


def softplus(x):
    return np.logaddexp(0.0, x)


@pytest.mark.parametrize(
    ("kind", "given", "function"),
    [
        ("Sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
        ("Tanh", {}, np.tanh),
        ("Elu", {"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        ("Celu", {"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(2 * x))),
        ("Selu", {"alpha": 2.0, "gamma": 3.0}, lambda x: 3 * np.where(x > 0, x, 2 * np.expm1(x))),
        ("Softplus", {}, softplus),
        ("Mish", {}, lambda x: x * np.tanh(softplus(x))),
        ("Log", {}, np.log),
        ("Pow", {}, lambda x: x**3.0),
    ],
)
def test_a_function_is_that_of_float64_wherever_the_element_stands(kind, given, function):
    constants = {"e": np.float32(3.0)} if kind == "Pow" else {}
    node = helper.make_node(kind, [ROOT, *constants], ["y"], "f", **given)
    view = np.zeros((1, 1), np.int64)
    x = append(Stream("", None, (1,), np.ones(()), view, "x"), Step(0, "f", node, constants, view))
    evaluate = evaluator(x, 18)
    reals = np.random.default_rng(0).normal(0, 3, (1001, 1)).astype(np.float32)
    reals = np.abs(reals) if kind == "Log" else reals
    whole = evaluate(reals)
    np.testing.assert_array_equal(whole, function(reals.astype(np.float64)).astype(np.float32))
    np.testing.assert_array_equal(whole, np.concatenate([evaluate(r[None]) for r in reals]))
