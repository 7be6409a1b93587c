"""Where a real lies between two codes: QONNX's rule, FINN's, and every rounding mode."""

from fractions import Fraction

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.read_qonnx import FINN_TIES, read_qonnx
from bitfold.ir import quantise_input
from bitfold.ir.ops import Dense, Threshold
from exact import assert_exact
from qonnx_nets import Net, grid, random_bn

MODES = ("CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "half_even", "round")


@pytest.mark.parametrize("mode", MODES)
def test_rounding_modes_of_activations_and_of_the_input(tmp_path, mode):
    rng = np.random.default_rng(0)
    net = Net(5).quant(4, 0.25, signed=1, mode=mode).gemm(rng.normal(size=(6, 5)), 4, 0.25)
    net.bn(*random_bn(rng, 6)).quant(3, 0.25, signed=1, mode=mode, narrow=1)
    net.gemm(rng.normal(size=(3, 6)), 3, 0.5)
    x = grid(rng, (200, 5), 0.25, -9, 9)
    assert_exact(net.save(tmp_path), np.concatenate([x, np.nextafter(x, np.float32(9))]))


def test_brevitas_word_for_rounding_to_zero_is_read(tmp_path):
    net = Net(4).quant(4, 0.25, signed=1, mode="ROUND_TO_ZERO").gemm(np.eye(4), 2, 1.0)
    graph = read_qonnx(net.save(tmp_path))
    assert graph.input_rounding == "DOWN"
    x = np.array([[-0.49, -0.26, 0.26, 0.49]], np.float32)
    assert quantise_input(graph, x).tolist() == [[-1, -1, 1, 1]]
    assert_exact(tmp_path / "model.onnx", x)


@pytest.mark.parametrize("slope", [0.5, -0.25])
@pytest.mark.parametrize("ties", ["even", "finn"])
def test_thresholds_are_those_of_exact_arithmetic(tmp_path, ties, slope):
    """A tie between k and k + 1 goes to the even one, or as FINN has it to k + 1."""
    net = Net(2).quant(4, 0.25, signed=1).gemm(np.eye(2) * 0.5, 3, 0.25)
    net.node("Mul", slope).quant(3, 0.25, signed=1, name="q").gemm(np.eye(2), 2, 1.0)
    graph = read_qonnx(net.save(tmp_path), ties)
    (op,) = (n.op for n in graph.nodes if isinstance(n.op, Threshold))
    kind = graph.node(next(n.name for n in graph.nodes if isinstance(n.op, Dense))).type
    for accumulator in range(kind.min, kind.max + 1):
        real = Fraction(accumulator) * Fraction(1, 16) * Fraction(slope) / Fraction(1, 4)
        below = real.numerator // real.denominator
        rest = real - below
        code = below + (rest > Fraction(1, 2))
        if rest == Fraction(1, 2):
            code = below + 1 if ties == "finn" else below + below % 2
        code = min(3, max(-4, code))
        x = np.full((1, 2), accumulator)
        assert op.run(x).tolist() == [[code, code]]


def test_finn_ties_are_noted_and_compared_with_their_own_reference(tmp_path):
    rng = np.random.default_rng(1)
    net = Net(8).quant(4, 0.25, signed=1).gemm(rng.normal(size=(6, 8)), 4, 0.25)
    net.quant(3, 0.25, signed=1).gemm(rng.normal(size=(3, 6)), 4, 0.25)
    path = net.save(tmp_path)
    x = grid(rng, (100, 8), 0.25, -8, 8)
    graph = assert_exact(path, x, ties="finn")
    assert graph.notes == (FINN_TIES,)
    assert graph.input_rounding == "FINN"
    assert compare(path, graph, x).mismatches > 0  # by the other rule some differ
    assert compare(path, graph, x, ties="finn").qonnx_samples == 0
    assert not read_qonnx(path).notes


def test_other_rounding_modes_know_no_ties_of_finn(tmp_path):
    net = Net(4).quant(4, 0.25, signed=1, mode="FLOOR").gemm(np.eye(4), 2, 1.0)
    assert read_qonnx(net.save(tmp_path), "finn").input_rounding == "FLOOR"


def test_wide_sigmoids_increase_although_float32_ones_do_not(tmp_path):
    rng = np.random.default_rng(2)
    net = Net(64).quant(8, 1 / 64, signed=1).gemm(rng.normal(size=(4, 64)) * 2, 8, 1 / 32)
    net.node("Tanh").quant(8, 1 / 127.5, signed=1).gemm(rng.normal(size=(3, 4)), 3, 0.5)
    x = rng.normal(0, 0.5, (64, 64)).astype(np.float32)
    assert_exact(net.save(tmp_path), x, float32=False)
