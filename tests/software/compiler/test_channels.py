"""Layers of channels that stand by themselves, in numbers."""

import numpy as np
import pytest

from bitfold.compiler.channels import spread, widened
from bitfold.compiler.layers import ChannelLayer, ConcatLayer, LinearLayer
from bitfold.compiler.lower import lower
from bitfold.ir import IntType, run_all
from bitfold.ir.ops import AddBias, Conv, Threshold, Weights
from bitfold.sim.reference import apply_thresholds
from branch_graphs import Branches

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("groups", "outputs"), [(1, 6), (2, 6), (4, 4), (4, 8)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1), (1, 3)])
def test_a_spread_convolution_computes_the_same(groups, outputs, dilation):
    values = RNG.integers(-4, 4, (outputs, 4 // groups, 2, 3))
    op = Conv("x", Weights(values, 3), (2, 1), (1, 2, 0, 1), groups, dilation)
    plain, matrix = spread(op)
    assert plain.dilation == dilation
    assert matrix.shape[2:] == (2, 3), "no zeros between the rows and columns of a kernel"
    assert plain.groups in (1, outputs)
    assert matrix is plain.weights.values
    x = RNG.integers(0, 8, (3, 4, 9, 11))
    np.testing.assert_array_equal(plain.run(x), op.run(x))


EXTREMES = np.array([[-2, 0, 1], [-3, -3, 3], [0, 0, 0], [-3, 1, 4], [4, 4, 4]])
FLIPS = np.array([True, False, True, True, False])


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("kind", ["codes", "sum", "conv"])
def test_flipped_channels_sum_the_negative(kind, with_bias):
    """Also of the least values, whose negatives need a bit more."""
    b = Branches(np.random.default_rng(0))
    x = made = b.input((5, 4, 4), 3, signed=True)
    if kind == "sum":
        made = b.sum(x, x)
    elif kind == "conv":
        made = b.add(Conv(x, Weights(np.diag([-2, 1, -2, 1, 1])[:, :, None, None], 2)))
    if with_bias and kind != "codes":
        made = b.add(AddBias(made, np.array([1, -1, 2, 0, -2])))
    b.add(Threshold(made, EXTREMES, 2, signed=False, flip=FLIPS))
    graph = b.graph()
    (layer,) = lower(graph)
    assert layer.thresholds.flip is None
    codes = np.broadcast_to(np.arange(-4, 4)[:, None, None, None], (8, 5, 4, 4))
    if isinstance(layer, LinearLayer):
        sums = np.einsum("oc,nchw->nohw", layer.matrix, codes)
        assert np.abs(layer.matrix).max() <= 1 << layer.w_bits - 1
    else:
        sums = codes * layer.weights.sum(0)[:, None, None]
    assert layer.acc.min <= sums.min()
    assert sums.max() <= layer.acc.max
    thresholds = layer.thresholds.thresholds
    got = np.stack([apply_thresholds(s.reshape(5, -1).T, thresholds).T for s in sums])
    np.testing.assert_array_equal(got.reshape(8, 5, 4, 4), run_all(graph, codes)[graph.output])


@pytest.mark.parametrize(
    ("kind", "wide"),
    [((3, False), (4, True)), ((2, True), (4, True)), ((2, False), (3, False))],
)
def test_widened_codes_are_the_same_integers(kind, wide):
    narrow = IntType(shape=(2,), bits=kind[0], signed=kind[1])
    layer = widened("x", narrow, IntType(shape=(2,), bits=wide[0], signed=wide[1]))
    assert layer.thresholds is not None
    codes = np.arange(narrow.min, narrow.max + 1)[:, None].repeat(2, axis=1)
    np.testing.assert_array_equal(layer.thresholds.run(codes), codes)
    assert (layer.out.bits, layer.out.signed) == wide


def test_operands_of_a_sum_get_the_same_planes():
    b = Branches(np.random.default_rng(0))
    x = b.layer(b.input((2, 4, 4), 3), 4, bits=2)
    y = b.layer(x, 4, bits=4, signed=1)
    b.codes(b.sum(x, y), 3)
    layers = lower(b.graph())
    total = layers[-1]
    assert isinstance(total, ChannelLayer)
    assert (total.x.bits, total.x.signed) == (4, True)
    assert total.reads == (f"{layers[0].name}_as_int4", layers[1].name)


def test_a_sum_that_two_quantisers_read_leaves_with_all_its_bits():
    b = Branches(np.random.default_rng(0))
    made = b.conv(b.input((2, 4, 4), 3), 4, 3, 3)
    x = b.codes(made, 3)
    b.concat(x, b.codes(made, 3))
    first, second, third, last = lower(b.graph())
    assert isinstance(first, LinearLayer)
    assert first.raw
    assert first.out.bits == first.acc.bits
    assert isinstance(second, ChannelLayer)
    assert isinstance(third, ChannelLayer)
    assert second.reads == third.reads == (first.name,)
    assert isinstance(last, ConcatLayer)


def test_wide_sums_that_meet_codes_lend_them_their_planes_without_thresholds():
    b = Branches(np.random.default_rng(0))
    made = b.conv(b.input((2, 4, 4), 4), 2, 3, 6)
    b.codes(b.sum(made, b.codes(made, 3)), 2)
    first, _, lent, total = lower(b.graph())
    assert isinstance(lent, ChannelLayer)
    assert isinstance(total, ChannelLayer)
    assert lent.raw
    assert lent.thresholds is None
    assert (lent.x.bits, lent.out) == (3, first.out)
    assert total.reads == (first.name, lent.name)


def test_unsigned_sums_behind_one_another_have_the_plane_of_a_sign():
    b = Branches(np.random.default_rng(0))
    x = b.input((2, 4, 4), 3)
    kernel = Weights(np.ones((2, 2, 1, 1), np.int64), 2)
    cat = b.concat(b.add(Conv(x, kernel)), b.add(Conv(x, kernel)))
    assert (b.type(cat).bits, b.type(cat).signed) == (4, False)
    *_, last = lower(b.graph())
    assert isinstance(last, ConcatLayer)
    assert [(part.bits, part.signed) for part in (*last.parts, last.out)] == [(5, True)] * 3
