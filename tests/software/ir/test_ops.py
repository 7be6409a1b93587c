"""Each operation against onnxruntime or a definition that shares no code with it."""

from dataclasses import fields

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from bitfold.ir import IntType, make_node
from bitfold.ir.ops import (
    OPS,
    AddBias,
    Concat,
    Conv,
    Dense,
    DepthToSpace,
    Flatten,
    MaxPool,
    Sum,
    SumPool,
    Threshold,
    Upsample,
    Weights,
    ZeroPad,
)


def by_onnx(op, x, *constants, **attributes):
    """A node of the standard operators on float32, which holds these small integers exactly."""
    names = ["x", *(f"c{i}" for i in range(len(constants)))]
    node = helper.make_node(op, names, ["y"], **attributes)
    arrays = [x.astype(np.float32), *constants]
    kinds = [helper.np_dtype_to_tensor_dtype(a.dtype) for a in arrays]
    inputs = [
        helper.make_tensor_value_info(n, k, a.shape)
        for n, k, a in zip(names, kinds, arrays, strict=True)
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, dict(zip(names, arrays, strict=True)))[0]


def drawn(rng, kind, count=4):
    return rng.integers(kind.min, kind.max + 1, (count, *kind.shape))


@pytest.mark.parametrize(
    ("channels", "outputs", "groups"), [(4, 6, 1), (4, 6, 2), (4, 4, 4), (3, 6, 3), (1, 2, 1)]
)
@pytest.mark.parametrize("seed", range(3))
def test_convolution_equals_onnx(seed, channels, outputs, groups):
    rng = np.random.default_rng(seed)
    kind = IntType(shape=(channels, 9, 8), bits=4, signed=bool(seed % 2))
    kernel = tuple(int(k) for k in rng.integers(1, 4, 2))
    stride = tuple(int(s) for s in rng.integers(1, 3, 2))
    pads = tuple(int(p) for p in rng.integers(0, 3, 4))
    dilation = tuple(int(d) for d in rng.integers(1, 4, 2))
    values = rng.integers(-4, 4, (outputs, channels // groups, *kernel))
    op = Conv("x", Weights(values, 3), stride, pads, groups, dilation)
    x = drawn(rng, kind)
    want = by_onnx(
        "Conv",
        x,
        values.astype(np.float32),
        strides=stride,
        pads=pads,
        group=groups,
        dilations=dilation,
    )
    got = op.run(x)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.int64
    assert got.shape[1:] == op.infer(kind).shape


def test_the_width_of_a_grouped_convolution_is_that_of_its_greatest_row():
    values = np.array([[[[7]]], [[[-8]]], [[[1]]]])
    op = Conv("x", Weights(values, 4), groups=3)
    kind = op.infer(IntType(shape=(3, 2, 2), bits=2, signed=False))
    assert (kind.bits, kind.signed) == (6, True)  # -24..21


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_equals_onnx(mode):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, (2, 12, 3, 5))
    got = DepthToSpace("x", 2, mode).run(x)
    np.testing.assert_array_equal(got, by_onnx("DepthToSpace", x, blocksize=2, mode=mode))


def test_zero_pad_equals_onnx():
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 4, 5))
    got = ZeroPad("x", (1, 2), (0, 3, 2, 1)).run(x)
    pads = np.array([0, 1, 0, 3, 0, 2, 2, 1])
    np.testing.assert_array_equal(got, by_onnx("Pad", x, pads))


def test_upsample_equals_onnx():
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 4, 5)).astype(np.int64)
    got = Upsample("x", (2, 3)).run(x)
    assert got.shape == (2, 3, 8, 15)
    for row, column in np.ndindex(8, 15):
        np.testing.assert_array_equal(got[:, :, row, column], x[:, :, row // 2, column // 3])


@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 0, 2, 1)])
def test_sum_pool_is_a_convolution_with_ones(pads):
    rng = np.random.default_rng(0)
    kind = IntType(shape=(3, 7, 6), bits=3, signed=True)
    x = drawn(rng, kind)
    ones = Conv("x", Weights(np.ones((3, 1, 3, 2), np.int64), 2), (2, 1), pads, groups=3)
    op = SumPool("x", (3, 2), (2, 1), pads)
    np.testing.assert_array_equal(op.run(x), ones.run(x))
    assert op.infer(kind) == ones.infer(kind)


def test_sum_scales_and_adds():
    a, b = IntType(shape=(2,), bits=3, signed=True), IntType(shape=(2,), bits=2, signed=False)
    op = Sum(("a", "b", "a"), (2, -3, 1))
    x, y = np.array([[-4, 3]]), np.array([[3, 0]])
    np.testing.assert_array_equal(op.run(x, y, x), [[-21, 9]])
    kind = op.infer(a, b, a)
    assert (kind.min, kind.max) == (-32, 31)
    assert kind.bits == 6  # -21..9


@pytest.mark.parametrize(
    ("kinds", "want"),
    [
        (((2, False), (3, False)), "uint3[5, 2]"),
        (((2, False), (2, True)), "int3[5, 2]"),
        (((4, True), (2, False)), "int4[5, 2]"),
    ],
)
def test_concat_holds_all_operands(kinds, want):
    types = [
        IntType(shape=(2 + i, 2), bits=bits, signed=signed)
        for i, (bits, signed) in enumerate(kinds)
    ]
    op = Concat(("a", "b"))
    assert str(op.infer(*types)) == want
    a, b = np.zeros((1, 2, 2), np.int64), np.ones((1, 3, 2), np.int64)
    assert op.run(a, b)[0, :, 0].tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("signed", "bipolar", "bits"), [(False, False, 2), (True, False, 2), (True, True, 1)]
)
def test_flipped_channels_are_mirrored_codes(signed, bipolar, bits):
    rng = np.random.default_rng(0)
    steps = np.sort(rng.integers(-5, 6, (3, (1 << bits) - 1)), axis=1)
    flip = np.array([False, True, False])
    plain = Threshold("x", steps, bits, signed, bipolar)
    flipped = Threshold("x", steps, bits, signed, bipolar, flip)
    kind = IntType(shape=(3,), bits=4, signed=True)
    x = np.arange(-8, 8)[:, None].repeat(3, 1)
    want, out = plain.run(x), plain.infer(kind)
    want[:, 1] = out.min + out.max - want[:, 1]
    np.testing.assert_array_equal(flipped.run(x), want)
    if not bipolar:
        assert ((want[:, 1] ^ plain.run(x)[:, 1]) & ((1 << bits) - 1) == (1 << bits) - 1).all()


def test_every_operation_reads_what_its_field_x_names():
    one = Weights(np.ones((1, 1, 1, 1), np.int64), 2)
    row = Weights(np.ones((1, 1), np.int64), 2)
    made = [
        Conv("a", one),
        Dense("a", row),
        AddBias("a", np.zeros(1, np.int64)),
        Sum(("a", "b"), (1, 1)),
        SumPool("a", (1, 1), (1, 1)),
        Threshold("a", np.zeros((1, 1), np.int64), 1),
        MaxPool("a", (1, 1), (1, 1)),
        Flatten("a"),
        Concat(("a", "b")),
        Upsample("a", (1, 1)),
        DepthToSpace("a", 1, "DCR"),
        ZeroPad("a"),
    ]
    assert {type(op) for op in made} == {*OPS} - {OPS[0]}
    for op in made:
        names = op.x if isinstance(op.x, tuple) else (op.x,)
        assert op.inputs == names
        assert fields(op)[0].name == "x"


def test_shapes_that_do_not_fit_are_our_bug():
    kind = IntType(shape=(3, 2, 2), bits=2, signed=False)
    with pytest.raises(AssertionError):
        make_node("c", Conv("x", Weights(np.ones((2, 2, 1, 1), np.int64), 2)), {"x": kind})
    with pytest.raises(AssertionError):
        make_node("t", Threshold("x", np.zeros((2, 1), np.int64), 1), {"x": kind})
    with pytest.raises(AssertionError):
        make_node("z", Sum(("x", "x"), (1, 0)), {"x": kind})
