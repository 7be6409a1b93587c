import numpy as np
import pytest

from bitfold.compiler.layers import LinearLayer, PoolLayer, acc_width
from bitfold.compiler.lower import lower
from bitfold.errors import UnsupportedOp
from bitfold.ir import run_all
from bitfold.ir.ops import AddBias
from bitfold.ir.ops.window import sliding_windows
from branch_graphs import Branches
from integer_graphs import ChainBuilder, digits_like, mlp


def in_stream_order(x):
    """(N, C, H, W) -> (N, H*W, C); vectors stay."""
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1, x.shape[1]) if x.ndim == 4 else x


@pytest.mark.parametrize("graph", [digits_like(), mlp(), mlp(bipolar=True)])
def test_rows_times_streamed_columns_are_the_graphs_accumulators(graph):
    kind = graph.input_type
    rng = np.random.default_rng(1)
    codes = rng.integers(kind.min, kind.max + 1, (5, *kind.shape))
    codes = codes | 1 if kind.bipolar else codes
    values = run_all(graph, codes)
    for layer in lower(graph):
        if isinstance(layer, PoolLayer):
            continue
        source = values[graph.node(layer.name).op.inputs[0]]
        if layer.conv is not None:
            windows = sliding_windows(
                source, layer.conv.kernel, layer.conv.stride, layer.conv.pads, 0
            )
            columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(5, layer.pixels, -1)
        else:
            before = graph.node(graph.node(layer.name).op.inputs[0]).op
            map_ = values[before.inputs[0]] if type(before).__name__ == "Flatten" else source
            columns = in_stream_order(map_).reshape(5, 1, -1)
        got = columns @ layer.matrix.T
        wanted = in_stream_order(values[layer.name]).reshape(5, layer.pixels, -1)
        np.testing.assert_array_equal(got, wanted)


def test_names_and_kinds_in_order():
    layers = lower(digits_like())
    assert [layer.name for layer in layers] == ["conv1", "conv2", "pool", "fc"]
    last = layers[-1]
    assert isinstance(last, LinearLayer)
    assert last.thresholds is None
    assert last.bias is not None


def test_sums_without_a_quantiser_go_on_with_all_their_bits():
    b = ChainBuilder(np.random.default_rng(0))
    b.input((8,), 2)
    b.dense("fc1", 4, 2)
    b.dense("fc2", 4, 2)
    first, second = lower(b.graph())
    assert isinstance(first, LinearLayer)
    assert first.raw
    assert isinstance(second, LinearLayer)
    assert second.x == first.out
    assert second.x.bits == acc_width(first.acc)


def test_a_bias_in_front_of_several_readers_is_refused():
    b = ChainBuilder(np.random.default_rng(0))
    b.input((8,), 2)
    b.dense("fc1", 4, 2)
    b.bias("shift")
    b.dense("fc2", 4, 2)
    with pytest.raises(UnsupportedOp, match=r"'shift'.*AddBias.*quantisers"):
        lower(b.graph())


def test_a_pool_behind_codes_may_end_the_network():
    b = ChainBuilder(np.random.default_rng(0))
    b.input((2, 4, 4), 2)
    b.conv("conv", 3, (3, 3), 2, pads=(1, 1, 1, 1))
    b.thresholds("q", 2)
    b.pool("pool", (2, 2), (2, 2))
    last = lower(b.graph())[-1]
    assert isinstance(last, PoolLayer)
    assert last.out.shape == (3, 2, 2)


def test_a_flatten_that_ends_the_network_behind_a_map_is_refused():
    b = ChainBuilder(np.random.default_rng(0))
    b.input((2, 4, 4), 2)
    b.conv("conv", 3, (3, 3), 2)
    b.thresholds("q", 2)
    b.flatten("last")
    with pytest.raises(UnsupportedOp, match=r"'last' \(Flatten\).*Leave the last Flatten out"):
        lower(b.graph())


@pytest.mark.parametrize("with_bias", [False, True])
def test_nodes_that_the_output_does_not_depend_on_are_left_out(with_bias):
    b = Branches(np.random.default_rng(0))
    made = b.conv(b.input((2, 4, 4), 3), 4, 3, 3)
    if with_bias:
        made = b.add(AddBias(made, np.arange(4)))
    b.codes(made, 2)
    (layer,) = lower(b.graph(made))
    assert layer.thresholds is None
    assert (layer.bias is not None) == with_bias
