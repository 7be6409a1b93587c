import pytest

from bitfold.cost.latency import (
    clog2,
    compressed,
    dot_latency,
    first_heights,
    popcount_latency,
)


def weight(heights: tuple[int, ...]) -> int:
    return sum(h << k for k, h in enumerate(heights))


def test_latencies_by_hand() -> None:
    assert [popcount_latency(n, 0) for n in (1, 2, 3, 4, 5, 16, 64)] == [1, 1, 1, 1, 2, 2, 3]
    assert [popcount_latency(n, 2) for n in (1, 64)] == [1, 3]
    # 64 lanes: (8, 24, 8) -> (2, 7, 6, 4, 1) -> (2, 1, 2, 2, 3, 1) -> count
    assert first_heights(64) == (8, 24, 8, 0, 0, 0, 0)
    assert compressed(first_heights(64)) == (2, 7, 6, 4, 1, 0, 0)
    assert compressed((2, 7, 6, 4, 1, 0, 0)) == (2, 1, 2, 2, 3, 1, 0)
    assert popcount_latency(64, 1) == 4
    assert dot_latency(64, 1, 1, weight_bipolar=False, act_bipolar=False, style=0) == 4
    assert dot_latency(64, 1, 3, weight_bipolar=True, act_bipolar=False, style=1) == 8


def test_compression_ends_for_every_lane_number() -> None:
    for lanes in range(1, 1025):
        assert 1 <= popcount_latency(lanes, 1) <= max(1, clog2(lanes))
        assert weight(first_heights(lanes)) >= lanes


@pytest.mark.parametrize(("lanes", "style"), [(0, 0), (8, 3)])
def test_refuses_what_no_module_has(lanes: int, style: int) -> None:
    with pytest.raises(ValueError, match="lanes >= 1 and style 0, 1 or 2"):
        popcount_latency(lanes, style)
