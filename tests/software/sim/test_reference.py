import itertools
from dataclasses import replace

import numpy as np
import pytest

from bitfold.sim.reference import (
    MvtuTiming,
    apply_thresholds,
    codes_to_values,
    from_plane_beats,
    issues,
    mvtu,
    mvtu_schedule,
    pack_biases,
    pack_steps,
    pack_thresholds,
    pack_weights,
    step_table,
    to_mem,
    to_plane_beats,
    unipolar_bias,
    unipolar_thresholds,
    values_to_codes,
    vecbuf_words,
)


def test_plane_beats_by_hand() -> None:
    # Channels 0..3 with codes 2, 1 | 3, 0; a beat is one plane of two channels, channel 0 at bit 0.
    assert to_plane_beats(np.array([2, 1, 3, 0]), 2, 2) == [0b01, 0b10, 0b01, 0b01]


@pytest.mark.parametrize(("bits", "group"), [(1, 1), (3, 4), (8, 6)])
def test_plane_beats_return(bits: int, group: int) -> None:
    codes = np.random.default_rng(1).integers(0, 1 << bits, 24)
    beats = to_plane_beats(codes, bits, group)
    assert len(beats) == 24 // group * bits
    assert (from_plane_beats(beats, bits, group) == codes).all()


@pytest.mark.parametrize("kind", ["unsigned", "signed", "bipolar"])
def test_codes_and_values_return(kind: str) -> None:
    bits = 1 if kind == "bipolar" else 3
    codes = np.arange(1 << bits)
    values = codes_to_values(codes, bits, signed=kind == "signed", bipolar=kind == "bipolar")
    assert (values_to_codes(values, bits, bipolar=kind == "bipolar") == codes).all()
    assert values.min() == {"unsigned": 0, "signed": -4, "bipolar": -1}[kind]


@pytest.mark.parametrize(
    ("planes", "w_planes", "ap", "wp"), [(1, 1, 1, 1), (4, 3, 1, 1), (5, 4, 2, 3), (4, 6, 3, 2)]
)
def test_steps_with_one_accumulator_make_the_product(
    planes: int, w_planes: int, ap: int, wp: int
) -> None:
    """Run the step table as the hardware does, on one signed product, for all values."""
    steps = step_table(planes, w_planes, ap, wp, act_signed=True, weight_signed=True)
    af, wf = -(-planes // ap), -(-w_planes // wp)
    assert {(s.ag, s.wg) for s in steps} == set(itertools.product(range(af), range(wf)))
    assert steps[0].shift == 0

    def group_value(value: int, low: int, width: int, sign: bool) -> int:
        field = value >> low & ((1 << width) - 1)
        return field - (1 << width) if sign and field >> (width - 1) else field

    for x in range(-(1 << (planes - 1)), 1 << (planes - 1)):
        for w in range(-(1 << (w_planes - 1)), 1 << (w_planes - 1)):
            acc = 0
            for s in steps:
                a = group_value(x, (af - 1 - s.ag) * ap, ap, s.act_sign)
                b = group_value(w, (wf - 1 - s.wg) * wp, wp, s.weight_sign)
                acc = (acc << s.shift) + a * b
            assert acc == x * w, (x, w)


def test_steps_are_packed_in_words_of_32_bits() -> None:
    steps = step_table(2, 1, 1, 1, act_signed=True, weight_signed=False)
    assert pack_steps(steps) == (0x0001_0001 << 32) | 0x0100_0000


def test_issues_visit_every_weight_of_a_fold_once_for_each_activation_group() -> None:
    steps = step_table(3, 2, 1, 1, act_signed=False, weight_signed=True)
    found = list(issues(steps, folds=2, words=4, banks=2, slot=1))
    assert len(found) == 2 * 6 * 8
    addresses = [i.weight_addr for i in found]
    assert all(addresses.count(a) == 3 for a in range(2 * 2 * 8))
    assert {i.act_addr for i in found} == set(range(12, 24))
    assert sum(i.first for i in found) == sum(i.last for i in found) == 2


def test_weight_words_by_hand() -> None:
    # One output a fold, two inputs a word, one plane a time: first the sign planes, then the rest.
    matrix = np.array([[-2, 1], [1, -1]])
    words = pack_weights(matrix, 2, bipolar=False, pe=1, simd=2, wp=1)
    assert words == [0b01, 0b10, 0b10, 0b11]
    # Both outputs and both planes at once: output 0 lowest, low plane lowest.
    assert pack_weights(matrix, 2, bipolar=False, pe=2, simd=2, wp=2) == [0b10_11_01_10]
    assert pack_weights(np.array([[1, -1]]), 1, bipolar=True, pe=1, simd=2, wp=1) == [0b01]


def test_missing_weight_planes_are_sign_copies() -> None:
    words = pack_weights(np.array([[-3], [3]]), 3, bipolar=False, pe=1, simd=1, wp=2)
    assert words == [0b11, 0b01, 0b00, 0b11]  # -3 = 11|01, 3 = 00|11


def test_buffer_words_by_hand() -> None:
    # Codes 5 = 101 and 2 = 010, two planes at a time, a missing plane on top.
    words = vecbuf_words(np.array([5, 2]), 3, 2, 2, signed=False)
    assert words == [[0b00_01], [0b10_01]]
    assert vecbuf_words(np.array([5, 2]), 3, 2, 2, signed=True) == [[0b01_01], [0b10_01]]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_binary_search_in_the_image_counts_thresholds(bits: int) -> None:
    rng = np.random.default_rng(bits)
    width, pe, tpe, outputs = 6, 4, 2, 8
    count = (1 << bits) - 1
    thresholds = np.sort(rng.integers(-40, 41, (outputs, count)), axis=1)  # beyond -32..31 too
    thresholds[3] = thresholds[3, 0]
    lanes = pack_thresholds(thresholds, bits, pe=pe, tpe=tpe, acc_width=width)
    acc = np.arange(-32, 32)[:, None].repeat(outputs, 1)
    wanted = apply_thresholds(acc, thresholds)
    for channel in range(outputs):
        group, lane = divmod(channel, tpe)
        for value, code in zip(acc[:, 0], wanted[:, channel], strict=True):
            node = 1
            for _ in range(bits):
                field = lanes[lane][(group << bits) + node]
                threshold = field - (2 << width) if field >> width else field
                node = 2 * node + int(value >= threshold)
            assert node - (1 << bits) == code, (channel, value)


def test_biases_are_packed_modulo_the_width() -> None:
    assert pack_biases(np.array([1, -1, 2, -2]), pe=2, width=4) == [0xF1, 0xE2]


def test_mem_text_has_all_digits_and_refuses_what_does_not_fit() -> None:
    assert to_mem([1, 0x1FF], 9) == "001\n1ff\n"
    with pytest.raises(AssertionError, match="does not fit"):
        to_mem([4], 2)


def test_bipolar_activations_as_bits_give_the_same_results() -> None:
    rng = np.random.default_rng(5)
    matrix = rng.integers(-4, 4, (6, 20))
    x = rng.integers(0, 2, (50, 20)) * 2 - 1
    bits = (x + 1) // 2
    thresholds = np.sort(rng.integers(-20, 20, (6, 3)), axis=1)
    assert (
        mvtu(x, matrix, thresholds=thresholds)
        == mvtu(bits, matrix, thresholds=unipolar_thresholds(matrix, thresholds))
    ).all()
    bias = rng.integers(-9, 9, 6)
    assert (
        mvtu(x, matrix, bias=bias) == 2 * mvtu(bits, matrix) + unipolar_bias(matrix, bias)
    ).all()
    assert (mvtu(x, matrix) == 2 * mvtu(bits, matrix) + unipolar_bias(matrix, None)).all()


def test_signed_output_inverts_the_first_plane() -> None:
    x, matrix = np.array([[0], [5]]), np.array([[1]])
    codes = mvtu(x, matrix, thresholds=np.array([[1, 2, 3]]), out_signed=True)
    assert codes_to_values(codes, 2, signed=True).tolist() == [[-2], [1]]


def timing() -> MvtuTiming:
    return MvtuTiming(product=6, folds=2, search=8, dot_latency=3, final=False)


def test_timing_by_hand() -> None:
    t = timing()
    assert (t.fold, t.period, t.release) == (8, 16, 14)
    assert (t.first_out, t.last_out) == (12, 12 + 8 + 7)
    assert t.out_offsets == tuple(range(12, 28))
    assert t.vectors == 2


def test_schedule_waits_for_input_for_itself_and_for_room() -> None:
    t = timing()
    # Input bound at first, then back to back.
    starts, offered, opens = mvtu_schedule([t] * 4, [9, 30, 33, 34], [100, 200, 300, 400], 4)
    assert starts == [10, 31, 47, 63]
    assert offered == [s + t.last_out for s in starts]
    assert opens == [0, 0, 24, 45]
    # The consumer takes vector 0 late: vector 2 waits for it.
    starts, _, _ = mvtu_schedule([t] * 3, [9, 30, 33], [100, 130], 2)
    assert starts == [10, 31, 102]


def test_a_vector_takes_the_cycles_of_its_own_mode() -> None:
    slow = MvtuTiming(product=12, folds=2, search=3, dot_latency=4, final=False, lead=True)
    fast = replace(slow, product=2)
    starts, offered, opens = mvtu_schedule([slow, fast, fast, slow], [0] * 4, [0] * 4, 4)
    assert starts == [1, 25, 31, 37]
    assert offered == [
        s + t.last_out for s, t in zip(starts, (slow, fast, fast, slow), strict=True)
    ]
    assert opens == [0, 0, 25, 31]
    # Behind idle cycles in front of the products results are as far apart as the search is long.
    assert fast.first_out - fast.product_end == slow.first_out - slow.product_end
    assert (slow.period, fast.period) == (24, 6)


def test_held_vectors_cover_the_pipeline() -> None:
    """With an eager consumer and input in time, no start waits for room."""
    for product, folds, search in itertools.product((1, 2, 9), (1, 3), (1, 4, 12)):
        t = MvtuTiming(product=product, folds=folds, search=search, dot_latency=4, final=False)
        taken: list[int] = []
        starts: list[int] = []
        for v in range(20):
            taken = [s + t.last_out for s in starts]
            starts = mvtu_schedule([t] * (v + 1), [0] * (v + 1), taken, t.vectors)[0]
        assert {b - a for a, b in itertools.pairwise(starts)} == {t.period}
