"""The chart of area against rate."""

import re

import pytest

from bitfold.report.explored import _chart, _ends


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([2876.0, 7108.0], (2000.0, 10_000.0)),
        ([56.5, 17_400.0], (50.0, 20_000.0)),
        ([100.0, 1000.0], (100.0, 1000.0)),
        ([3.0], (2.0, 5.0)),
        ([5.0], (5.0, 50.0)),
        ([0.7, 9.9], (0.5, 10.0)),
    ],
)
def test_axes_end_at_the_nearest_round_numbers(
    values: list[float], ends: tuple[float, float]
) -> None:
    assert _ends(values) == pytest.approx(ends)


def test_points_lie_within_the_plot_and_carry_their_tips() -> None:
    line = [(56.5, 2876.0, "a"), (1000.0, 3047.0, "b"), (17_400.0, 7108.0, "c")]
    html = _chart(line, [(56.5, 2900.0, "d")])
    places = re.findall(r'class="point seen s\d" style="left:([-\d.]+)%;top:([-\d.]+)%"', html)
    assert len(places) == 4
    assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in places)
    assert [float(x) for x, _ in places[:3]] == sorted(float(x) for x, _ in places[:3])
    assert all(f'data-tip="{tip}"' in html for tip in "abcd")
