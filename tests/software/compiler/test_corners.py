"""Corners where a compiler easily says other integers than the graph: exact, or refused."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.check import Comparison, compare
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError, UnsupportedOp
from qonnx_nets import QONNX, Net

ONE = [[[[1.0]]]]


def differences(net: Net, x: object, folder: Path, rank: int = 2) -> tuple[int, int]:
    """Integers that differ from the graph's: with exact sums, and as QONNX runs it."""
    path = net.save(folder, rank)
    read_qonnx(path)
    found: Comparison = compare(path, read_qonnx(path), np.asarray(x, np.float32))
    assert found.outputs
    return found.mismatches, found.qonnx_mismatches


@pytest.mark.parametrize("how", ["neg", "mixed", "bipolar", "add"])
def test_a_negative_scale_in_front_of_a_pool(how: str, tmp_path: Path) -> None:
    channels = 2 if how == "mixed" else 1
    net = Net(channels, 1, 2)
    net = net.bipolar(1.0) if how == "bipolar" else net.quant(3, 1.0)
    if how == "mixed":
        net.node("Mul", np.reshape([1.0, -1.0], (2, 1, 1)))
    else:
        net.node("Neg")
    net.node("MaxPool", kernel_shape=[1, 2])
    if how == "add":
        net.node("Add", net.last)
    net.conv(np.ones((1, channels, 1, 1)), 2, 1.0)
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 8, (20, channels, 1, 2))
    if how == "mixed":
        with pytest.raises(ModelError, match="no Quant between"):
            read_qonnx(net.save(tmp_path, 4))
    else:
        assert differences(net, x, tmp_path, 4) == (0, 0)


def test_a_truncation_behind_a_dip_is_refused(tmp_path: Path) -> None:
    net = Net(1, opset=14).quant(4, 1.0, signed=1).node("HardSwish")
    net.node("Trunc", 0.1, 0.0, 8.0, 7.0, domain=QONNX, rounding_mode="FLOOR")
    with pytest.raises(UnsupportedOp, match="not monotone"):
        read_qonnx(net.gemm([[1.0]], 2, 1.0).save(tmp_path))


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "ROUND"])
def test_the_same_grid_twice_with_any_rounding(mode: str, tmp_path: Path) -> None:
    scale = 0.6469616889953613
    net = Net(1).quant(8, scale).quant(8, scale, mode=mode).gemm([[1.0]], 2, 1.0)
    x = np.arange(256)[:, None] * np.float32(scale)
    assert differences(net, x, tmp_path) == (0, 0)


def cancels(factor: float) -> bool:
    """Whether 1 / factor times factor is 1 in float32 for each of 16 codes."""
    codes = np.arange(16, dtype=np.float32)
    return bool((codes * np.float32(1 / factor) * np.float32(factor) == codes).all())


CANCELLING = [float(f) for f in range(3, 200) if cancels(f) and float(np.float32(1 / f)) * f != 1]


@pytest.mark.parametrize("factor", CANCELLING[::8])
def test_a_scale_and_its_inverse_keep_the_ties_that_float32_has(
    factor: float, tmp_path: Path
) -> None:
    rng = np.random.default_rng(int(factor))
    weights = rng.integers(-3, 4, (4, 6))
    net = Net(6).quant(4, 1 / factor).node("Mul", factor).gemm(weights, 3, 1.0)
    net.quant(4, 2.0, signed=1).gemm(rng.integers(-3, 4, (3, 4)), 3, 1.0)
    x = rng.integers(0, 16, (60, 6)) / factor
    assert differences(net, x, tmp_path) == (0, 0)


def test_half_a_unit_of_a_large_bias_is_kept(tmp_path: Path) -> None:
    unit = 2.0**-10
    bias = np.array([700001, 700000.5]) * unit**2
    net = Net(2).quant(2, unit).gemm(np.eye(2) * unit, 2, unit, bias)
    x = np.array([[0, 1], [1, 1], [0, 0], [2, 3]]) * unit
    assert differences(net, x, tmp_path) == (0, 0)


@pytest.mark.parametrize(("start", "end"), [(1, None), (0, 1), (-3, -1)])
def test_a_part_of_a_shape(start: int, end: int | None, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = Net(4, 4, 4, opset=15).quant(3, 1.0)
    given = {"start": start} | ({} if end is None else {"end": end})
    quantised = net.last
    shape = net.node("Shape", source=quantised, **given)
    net.last = net.node("Gather", net.constant([0], np.int64), source=shape, axis=0)
    if (start, end) == (0, 1):
        net.node("Concat", net.constant([4, 4, -1], np.int64), axis=0)
    else:
        row = net.last
        net.last = net.constant([1], np.int64)
        net.node("Concat", row, net.constant([-1, 4], np.int64), axis=0)
    net.last, target = quantised, net.last
    net.node("Reshape", target).node("Transpose", perm=[0, 2, 1, 3]).node("Flatten")
    net.gemm(rng.integers(-3, 4, (3, 64)), 3, 1.0)
    assert differences(net, rng.integers(0, 8, (5, 4, 4, 4)), tmp_path, 2) == (0, 0)


def test_a_bias_of_one_value_a_sample_is_refused(tmp_path: Path) -> None:
    net = Net(2, batch=3).quant(3, 1.0)
    weights = net.weights([[1, 2], [3, 1], [2, 2]], 3, 1.0)
    net.node("Gemm", weights, [[10.0], [20.0], [30.0]], transB=1)
    with pytest.raises(ModelError, match=r"bias of shape \(3, 1\)"):
        read_qonnx(net.save(tmp_path))


@pytest.mark.parametrize("pole", [-635.5, 3.5, 12345.5])
def test_a_pole_among_many_sums_is_found(pole: float, tmp_path: Path) -> None:
    net = Net(4).quant(8, 1.0, signed=1).gemm([[127.0] * 4], 8, 1.0).node("Add", pole)
    net.node("Reciprocal").quant(3, 1.0, signed=1).gemm([[1.0]], 2, 1.0)
    with pytest.raises(UnsupportedOp, match="not monotone"):
        read_qonnx(net.save(tmp_path))


def test_what_cannot_be_seen_or_tried_is_refused(tmp_path: Path) -> None:
    net = Net(512).quant(8, 1.0, signed=1).gemm(np.full((256, 512), 127.0), 8, 1.0)
    net.node("HardSwish").quant(3, 1e5, signed=1).gemm(np.ones((1, 256)), 2, 1.0)
    net.opset = 14
    with pytest.raises(UnsupportedOp, match="too many to try"):
        read_qonnx(net.save(tmp_path))


def test_dropout_in_training_is_refused(tmp_path: Path) -> None:
    for training in (False, True):
        net = Net(2).quant(3, 1.0)
        net.node("Dropout", net.constant(0.5), net.constant(training, np.bool_))
        path = net.gemm(np.eye(2), 3, 1.0).save(tmp_path)
        if training:
            with pytest.raises(UnsupportedOp, match="training_mode"):
                read_qonnx(path)
        else:
            read_qonnx(path)


def test_the_host_gets_one_tensor(tmp_path: Path) -> None:
    net = Net(2).quant(3, 1.0)
    before = net.last
    soft = net.gemm(np.eye(2), 3, 1.0).node("Softmax").last
    net.last = before
    net.gemm(np.eye(2) * 2, 3, 1.0).node("Add", soft)
    with pytest.raises(UnsupportedOp, match="the host gets one tensor"):
        read_qonnx(net.save(tmp_path))


@pytest.mark.parametrize("kind", ["INT8", "UINT8", "INT4"])
@pytest.mark.parametrize("factor", [0.1, 0.05, 1 / 3, 1 / 127, 2 / 255, 0.3])
def test_annotated_integers_times_any_scale(kind: str, factor: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = Net(5).annotate(kind).node("Mul", factor).gemm(rng.integers(-3, 4, (4, 5)), 3, 0.37)
    net.quant(4, 1.7, signed=1).gemm(rng.integers(-3, 4, (3, 4)), 3, 1.0)
    low, high = {"INT8": (-128, 128), "UINT8": (0, 256), "INT4": (-8, 8)}[kind]
    assert differences(net, rng.integers(low, high, (200, 5)), tmp_path) == (0, 0)


def test_annotated_integers_from_which_something_is_taken(tmp_path: Path) -> None:
    net = Net(2).annotate("UINT8").node("Sub", 128.0).node("Mul", 0.3).gemm(np.eye(2), 3, 1.0)
    x = np.arange(256).repeat(2).reshape(-1, 2)
    assert differences(net, x, tmp_path) == (0, 0)
