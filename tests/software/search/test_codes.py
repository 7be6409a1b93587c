"""Bits that integer weights need once common trailing zeros are gone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bitfold.quant.lsq import LEAST_STEP
from bitfold.search.codes import finer, span_of, strip


@given(
    st.lists(st.integers(-127, 127), min_size=1, max_size=20),
    st.integers(0, 3),
)
def test_stripped_codes_give_back_the_codes_with_the_fewest_bits(
    values: list[int], low: int
) -> None:
    codes = torch.tensor(values) << low
    found = strip(codes)
    assert torch.equal(found.whole << found.shift, codes)
    assert found.whole.abs().max() < 1 << found.bits
    if codes.any():
        assert (found.whole % 2).any()
        assert found.whole.abs().max() >= 1 << (found.bits - 1)
    else:
        assert (found.shift, found.bits) == (0, 1)


def test_holes_count_in_the_span() -> None:
    """10111000 was seen by others; the lowest three planes go, the hole stays."""
    found = strip(torch.tensor([0b10111000, -0b00111000, 0b10000000]))
    assert (found.shift, found.bits) == (3, 5)
    assert found.whole.tolist() == [0b10111, -0b111, 0b10000]
    assert span_of(torch.tensor([0b1001])) == range(4)


def test_the_error_of_a_bit_fewer_is_relative() -> None:
    found = strip(torch.tensor([3, 4, -1, 0]))
    # To even: 3 -> 4, 4 -> 4, -1 -> 0.
    assert found.coarsening_error() == pytest.approx((1 + 0 + 1) / (9 + 16 + 1))
    assert strip(torch.tensor([6, 8, -2, 0])).coarsening_error() == found.coarsening_error()
    assert strip(torch.zeros(3, dtype=torch.int64)).coarsening_error() == 0


def test_steps_are_halved_for_each_bit_as_far_as_steps_go() -> None:
    assert [finer(0.3, bits) for bits in (-2, 0, 1, 3)] == [1.2, 0.3, 0.15, 0.0375]
    assert finer(5 * LEAST_STEP, 6) == 1.25 * LEAST_STEP
    assert finer(LEAST_STEP / 2, 3) == LEAST_STEP / 2
