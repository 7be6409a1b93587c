import re

import pytest

from bitfold.report import charts
from bitfold.report.text import number, percent, ratio, seconds, short


def widths(html: str) -> list[float]:
    return [float(w) for w in re.findall(r"width:([\d.]+)%", html)]


def test_bars_start_at_zero_and_share_one_scale() -> None:
    assert widths(charts.bars([("a", 2.0, ""), ("b", 8.0, ""), ("c", 0.0, "")])) == [25, 100, 0]
    paired = charts.paired_bars([("x", [("a", 1.0, ""), ("b", 4.0, "")]), ("y", [("a", 2.0, "")])])
    assert widths(paired) == [25, 100, 50]


def test_cells_are_filled_to_the_bits() -> None:
    html = charts.cells(3, 8, 1)
    assert html.count('class="s1"') == 3
    assert html.count('class="empty"') == 5


@pytest.mark.parametrize("low", [0.1, 0.5, 0.93, 0.981, 0.9944, 1.0])
def test_dots_lie_within_the_axis(low: float) -> None:
    html = charts.dots([("a", (low, 1.0))], ("test", "validation"))
    places = [float(x) for x in re.findall(r"left:([-\d.]+)%", html)]
    assert all(0 <= x <= 100 for x in places)
    assert places[1] == 100


@pytest.mark.parametrize("curve", [[0.3], [0.5, 0.5], [2.7, 0.1, 0.4], [1e-6, 3e-6], [0.0, 0.0]])
def test_curves_lie_within_the_plot(curve: list[float]) -> None:
    html = charts.lines([("a", curve)], fraction=False, x_title="epoch")
    places = re.findall(r'class="point s1" style="left:([-\d.]+)%;top:([-\d.]+)%"', html)
    assert len(places) == len(curve)
    assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in places)


def test_numbers() -> None:
    assert number(1234567).replace("\u202f", " ") == "1 234 567"
    assert number(None) == "-"
    assert [short(v).replace("\u202f", " ") for v in (999, 2084352, 3.2e9)] == [
        "999", "2.08 M", "3.2 G",
    ]  # fmt: skip
    assert percent(0.98765, 2).replace("\u202f", " ") == "98.77 %"
    assert ratio(2, 14) == "7.0x less"
    assert ratio(14, 7) == "2.0x more"
    assert [seconds(v).replace("\u202f", " ") for v in (0.25, 59.6, 75.2)] == [
        "0.2 s", "1 min 0 s", "1 min 15 s",
    ]  # fmt: skip
