"""Each pass leaves the outputs as they were; the pipeline leaves what the hardware expects."""

from dataclasses import replace

import numpy as np
import pytest

from bitfold.compiler.passes.absorb_flips import absorb_flips
from bitfold.compiler.passes.lower_bipolar import lower_bipolar
from bitfold.compiler.passes.merge_thresholds import merge_thresholds
from bitfold.compiler.passes.pool_after_threshold import pool_after_threshold
from bitfold.compiler.pipeline import PIPELINE, run_pipeline
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, IntType, ValueMap, make_node, run, verify
from bitfold.ir.ops import AddBias, Concat, Conv, Dense, Flatten, Input, MaxPool, Threshold, Weights
from integer_graphs import branching


def graph_of(*ops, scale=0.5, bias=0.0):
    """A chain: each op is a function of the name before it and its type."""
    nodes, types, last = [], {}, ""
    for index, make in enumerate(ops):
        name = f"n{index}"
        nodes.append(make_node(name, make(last, types.get(last)), types))
        types[name] = nodes[-1].type
        last = name
    one = np.ones(())
    output_map = ValueMap(np.asarray(scale), np.asarray(bias))
    return Graph(
        nodes=tuple(nodes),
        input="n0",
        output=last,
        input_map=ValueMap(one, one * 0),
        output_map=output_map,
    )


def source(bits, *shape, signed=False, bipolar=False):
    kind = IntType(shape=shape, bits=bits, signed=signed or bipolar, bipolar=bipolar)
    return lambda x, t: Input(kind)


def conv(rng, outputs, bits, pads=(0, 0, 0, 0)):
    def make(x, t):
        values = rng.integers(-(1 << bits - 1), 1 << bits - 1, (outputs, t.channels, 2, 2))
        return Conv(x, Weights(values, bits), (1, 1), pads)

    return make


def dense(rng, outputs, bits, bipolar=False):
    def make(x, t):
        if bipolar:
            values = rng.choice([-1, 1], (outputs, t.channels))
        else:
            values = rng.integers(-(1 << bits - 1), 1 << bits - 1, (outputs, t.channels))
        return Dense(x, Weights(values.astype(np.int64), bits, bipolar))

    return make


def threshold(rng, bits, signed=False, bipolar=False):
    def make(x, t):
        steps = np.sort(rng.integers(t.min, t.max + 2, (t.channels, (1 << bits) - 1)), axis=1)
        steps[0] = t.max + 1
        return Threshold(x, steps, bits, signed=signed or bipolar, bipolar=bipolar)

    return make


def same_threshold(rng, bits):
    def make(x, t):
        steps = np.sort(rng.integers(t.min, t.max + 2, (1, (1 << bits) - 1)), axis=1)
        return Threshold(x, np.repeat(steps, t.channels, axis=0), bits)

    return make


def pool(pads=(0, 0, 0, 0)):
    return lambda x, t: MaxPool(x, (2, 2), (1, 1), pads, t.min)


def flatten(x, t):
    return Flatten(x)


def add_bias(rng, odd):
    def make(x, t):
        return AddBias(x, 2 * rng.integers(-5, 5, t.channels) + odd)

    return make


def inputs(graph, rng, count=40):
    kind = graph.input_type
    x = rng.integers(kind.min, kind.max + 1, (count, *kind.shape))
    return x | 1 if kind.bipolar else x


@pytest.mark.parametrize("seed", range(4))
def test_pool_after_threshold(seed):
    rng = np.random.default_rng(seed)
    graph = graph_of(
        source(3, 2, 6, 6, signed=seed % 2),
        conv(rng, 3, 3),
        pool((1, 0, 0, 1)),
        pool(),
        threshold(rng, 2, signed=True),
        conv(rng, 2, 3, (1, 1, 1, 1)),
        pool(),
        threshold(rng, 1, bipolar=True),
    )
    after = pool_after_threshold(graph)
    verify(after, after="pool_after_threshold")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(run(after, x), run(graph, x))
    kinds = [type(n.op) for n in after.nodes]
    assert kinds == [Input, Conv, Threshold, MaxPool, MaxPool, Conv, Threshold, MaxPool]
    assert [n.name for n in graph.nodes][2:5] == ["n2", "n3", "n4"]  # the argument is untouched


@pytest.mark.parametrize("bipolar", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_merge_thresholds(seed, bipolar):
    rng = np.random.default_rng(seed)
    first = threshold(rng, 1, bipolar=True) if bipolar else threshold(rng, 3, signed=True)
    graph = graph_of(
        source(3, 2, 5, 5),
        conv(rng, 3, 3),
        first,
        threshold(rng, 2),
        pool((0, 1, 1, 0)),
        threshold(rng, 2, signed=True),
        flatten,
        same_threshold(rng, 2),
        dense(rng, 3, 3),
    )
    after = merge_thresholds(graph)
    verify(after, after="merge_thresholds")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(run(after, x), run(graph, x))
    kinds = [type(n.op) for n in after.nodes]
    assert kinds == [Input, Conv, Threshold, MaxPool, Flatten, Dense]


def reals(graph, x):
    return graph.output_map.to_real(run(graph, x))


def test_padding_of_a_pool_between_thresholds_follows_the_type():
    rng = np.random.default_rng(0)
    lowest = IntType.holding(-4, 3, (2, 3, 3))

    def never(x, t):  # codes stay at the least value, which padding must not exceed
        return Threshold(x, np.full((2, 7), t.max + 1), lowest.bits, signed=True)

    graph = graph_of(source(3, 2, 3, 3), threshold(rng, 2), pool((1, 1, 1, 1)), never)
    after = merge_thresholds(graph)
    x = inputs(graph, rng)
    np.testing.assert_array_equal(run(after, x), run(graph, x))
    assert (run(after, x) == -4).all()


@pytest.mark.parametrize("tail", ["none", "even", "odd", "threshold"])
@pytest.mark.parametrize("seed", range(3))
def test_lower_bipolar(seed, tail):
    rng = np.random.default_rng(seed)
    last = {
        "none": [],
        "even": [add_bias(rng, 0)],
        "odd": [add_bias(rng, 1)],
        "threshold": [threshold(rng, 3)],
    }[tail]
    graph = graph_of(
        source(1, 2, 5, 5, bipolar=True),
        conv(rng, 4, 3),
        threshold(rng, 1, bipolar=True),
        pool((0, 1, 1, 0)),
        flatten,
        dense(rng, 6, 1, bipolar=True),
        threshold(rng, 1, bipolar=True),
        dense(rng, 3, 4),
        *last,
        bias=0.25,
    )
    after = lower_bipolar(graph)
    verify(after, after="lower_bipolar")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(reals(after, (x + 1) // 2), reals(graph, x))
    kinds = {n.name: n.type.bipolar for n in after.nodes}
    assert kinds["n2"]  # bipolar weights keep their bipolar activations
    assert not kinds["n0"]
    assert not kinds["n6"]
    assert after.input_by_sign


def flipped(rng, bits, signed=False, bipolar=False):
    """Thresholds of which about half the channels decrease."""
    plain = threshold(rng, bits, signed, bipolar)
    return lambda x, t: replace(plain(x, t), flip=rng.random(t.channels) < 0.5)


@pytest.mark.parametrize("bipolar", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_merged_thresholds_compose_their_flips(seed, bipolar):
    rng = np.random.default_rng(seed)
    first = flipped(rng, 1, bipolar=True) if bipolar else flipped(rng, 3, signed=True)
    graph = graph_of(source(3, 4, 5, 5), conv(rng, 5, 3), first, flipped(rng, 2), flipped(rng, 3))
    after = merge_thresholds(graph)
    verify(after, after="merge_thresholds")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(run(after, x), run(graph, x))
    assert [type(n.op) for n in after.nodes] == [Input, Conv, Threshold]


def test_a_pool_in_front_of_a_flip_stays():
    rng = np.random.default_rng(0)
    graph = graph_of(
        source(3, 4, 5, 5), conv(rng, 5, 3), threshold(rng, 3), pool(), flipped(rng, 2)
    )
    for each in (pool_after_threshold, merge_thresholds):
        assert [n.name for n in each(graph).nodes] == [n.name for n in graph.nodes]


@pytest.mark.parametrize("bipolar", [False, True])
def test_absorb_flips_negates_rows(bipolar):
    rng = np.random.default_rng(1)
    graph = graph_of(
        source(3, 4, 5, 5),
        conv(rng, 6, 3),
        flipped(rng, 2),
        flatten,
        dense(rng, 5, 1, bipolar) if bipolar else dense(rng, 5, 2),
        flipped(rng, 3, signed=True),
    )
    after = absorb_flips(graph)
    verify(after, after="absorb_flips")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(run(after, x), run(graph, x))
    assert not any(n.op.flips.any() for n in after.nodes if isinstance(n.op, Threshold))


@pytest.mark.parametrize("seed", range(4))
def test_passes_keep_branches(seed):
    graph = branching(seed)
    rng = np.random.default_rng(seed)
    kind = graph.input_type
    x = rng.integers(kind.min, kind.max + 1, (20, *kind.shape))
    want = run(graph, x)
    assert (want != want[:1]).any()
    for each in PIPELINE:
        after = each(graph)
        verify(after, after=each.__name__)
        np.testing.assert_array_equal(run(after, x), want)
    after = run_pipeline(graph)
    np.testing.assert_array_equal(run(after, x), want)
    kinds = {n.name: n.op for n in after.nodes}
    assert not kinds["q_depthwise"].flips.any()  # one reader: in the weights
    flips = {name: graph.node(name).op.flips for name in ("q", "right", "q_sum")}
    for name, flip in flips.items():  # readers that differ, and sums: they stay
        np.testing.assert_array_equal(kinds[name].flips, flip)


def forked(rng, bits):
    """Bipolar codes that a layer with integer weights, one with bipolar ones and a code read."""
    graph = graph_of(
        source(3, 4, 5, 5), conv(rng, 5, 3), flipped(rng, 1, bipolar=True), pool(), flatten
    )
    nodes, types = list(graph.nodes), {n.name: n.type for n in graph.nodes}

    def add(name, op):
        nodes.append(make_node(name, op, types))
        types[name] = nodes[-1].type

    add("int", dense(rng, 6, bits)("n4", types["n4"]))
    add("int_q", flipped(rng, 2, signed=True)("int", types["int"]))
    add("sign", dense(rng, 6, 1, bipolar=True)("n4", types["n4"]))
    add("sign_q", flipped(rng, 1, bipolar=True)("sign", types["sign"]))
    add("code", flipped(rng, 2)("n3", types["n3"]))
    add("code_flat", Flatten("code"))
    add("both", Concat(("int_q", "code_flat")))
    add("out", dense(rng, 3, 2)("both", types["both"]))
    add("last", dense(rng, 3, 2)("sign_q", types["sign_q"]))
    add("two", Concat(("out", "last")))
    return replace(graph, nodes=tuple(nodes), output="both"), nodes


@pytest.mark.parametrize("output", ["both", "out", "n4"])
def test_lower_bipolar_takes_all_readers_along(output):
    rng = np.random.default_rng(2)
    graph, nodes = forked(rng, 3)
    keep = [n for n in nodes if n.name not in ("last", "two", "sign_q", "sign")]
    graph = replace(graph, nodes=tuple(keep), output=output)
    after = lower_bipolar(graph)
    verify(after, after="lower_bipolar")
    x = inputs(graph, rng)
    np.testing.assert_array_equal(reals(after, x), reals(graph, x))
    assert not any(n.type.bipolar for n in after.nodes)
    with_signs = replace(graph, nodes=tuple(n for n in nodes if n.name not in ("last", "two")))
    after = lower_bipolar(with_signs)
    np.testing.assert_array_equal(reals(after, x), reals(with_signs, x))
    assert after.node("sign").op.weights.bipolar
    assert not after.node("n2").type.bipolar
    assert after.node("sign_q").type.bipolar  # nobody multiplies it by integers


def test_sums_of_lowered_bipolar_values_need_a_quantiser():
    rng = np.random.default_rng(3)
    graph, nodes = forked(rng, 3)
    with pytest.raises(UnsupportedOp, match=r"node 'two' \(Concat\): reads sums of bipolar"):
        lower_bipolar(replace(graph, nodes=tuple(nodes), output="two"))


def test_the_pipeline_verifies_after_each_pass_and_names_the_guilty_one(monkeypatch):
    rng = np.random.default_rng(0)
    graph = graph_of(source(3, 4), dense(rng, 3, 3))

    def careless(graph):
        wrong = replace(graph.nodes[-1], type=IntType(shape=(3,), bits=2, signed=False))
        return replace(graph, nodes=(*graph.nodes[:-1], wrong))

    monkeypatch.setattr("bitfold.compiler.pipeline.PIPELINE", (careless,))
    with pytest.raises(AssertionError, match="pass 'careless' left node 'n1'"):
        run_pipeline(graph)


def test_every_pass_states_its_contract():
    for each in PIPELINE:
        assert "Requires:" in each.__doc__
        assert "Preserves:" in each.__doc__
