"""Charts as HTML that stretches with the page: bars, cells, dots are boxes; lines are SVG.

Names are escaped here; numbers are formatted here. Every mark carries its value as a tooltip.
"""

from collections.abc import Sequence
from math import floor, log10

from bitfold.report.text import esc, percent

Bar = tuple[str, float, str]  # label, value, what is written beside it


def bars(rows: Sequence[Bar], colour: int = 1) -> str:
    """Horizontal bars from zero."""
    most = max((value for _, value, _ in rows), default=0) or 1
    return (
        '<div class="bars">'
        + "".join(
            f'<span class="label">{esc(label)}</span>'
            f'<span class="track"><i class="s{colour}" style="width:{100 * value / most:.2f}%"></i>'
            f'</span><span class="value">{esc(text)}</span>'
            for label, value, text in rows
        )
        + "</div>"
    )


def paired_bars(groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Groups of bars on one scale; the n-th bar of each group has the n-th colour."""
    most = max((value for _, rows in groups for _, value, _ in rows), default=0) or 1
    parts = ['<div class="bars">']
    for name, rows in groups:
        parts.append(f'<span class="group">{esc(name)}</span>')
        for series, (label, value, text) in enumerate(rows, start=1):
            parts.append(
                f'<span class="label">{esc(label)}</span><span class="track">'
                f'<i class="s{series}" style="width:{100 * value / most:.2f}%"></i></span>'
                f'<span class="value">{esc(text)}</span>'
            )
    return "".join(parts) + "</div>"


def share(value: float, colour: int) -> str:
    """A small bar inside a table cell; 1.0 fills it."""
    width = 100 * min(max(value, 0.0), 1.0)
    return f'<span class="share"><i class="s{colour}" style="width:{width:.1f}%"></i></span>'


def cells(filled: int, of: int, colour: int) -> str:
    """`filled` of `of` boxes."""
    boxes = "".join(f'<i class="{f"s{colour}" if n < filled else "empty"}"></i>' for n in range(of))
    return f'<span class="cells" role="img" aria-label="{filled} bits">{boxes}</span>'


def dots(rows: Sequence[tuple[str, Sequence[float]]], series: Sequence[str]) -> str:
    """Fractions as dots on an axis cut to where they lie; one colour a series."""
    values = [value for _, row in rows for value in row]
    step = _step((1 - min(values)) / 4 or 0.01)
    low = max(0.0, floor(round(min(values) / step, 6)) * step)
    if low == min(values):
        low = max(0.0, low - step)
    ticks = [low + n * step for n in range(round((1 - low) / step) + 1)]
    parts = ['<div class="dots">']
    for label, row in rows:
        marks = "".join(
            f'<i class="dot s{n}" style="left:{100 * (value - low) / (1 - low):.2f}%" '
            f'data-tip="{esc(name)}: {percent(value, 2)}" tabindex="0"></i>'
            for n, (name, value) in enumerate(zip(series, row, strict=True), start=1)
        )
        text = " / ".join(percent(value) for value in row)
        parts.append(
            f'<span class="label">{esc(label)}</span><span class="axis">{marks}</span>'
            f'<span class="value">{text}</span>'
        )
    digits = 0 if step >= 0.01 else 1
    marks = "".join(
        f'<b style="left:{100 * (tick - low) / (1 - low):.2f}%">{percent(tick, digits)}</b>'
        for tick in (ticks if len(ticks) <= 6 else ticks[:: -(-len(ticks) // 6)])
    )
    return "".join(parts) + f'<span class="ticks">{marks}</span></div>'


def lines(curves: Sequence[tuple[str, Sequence[float]]], *, fraction: bool, x_title: str) -> str:
    """Curves over 1, 2, 3, ...; the axis holds all values. Points carry their values."""
    values = [value for _, curve in curves for value in curve]
    low, high = min(values), max(values)
    step = _step((high - low) / 4 or abs(high) / 4 or 1.0)
    low = floor(round(low / step, 6)) * step
    count = 1
    while low + count * step < high - 1e-9 * step:
        count += 1
    top = low + count * step
    length = max(len(curve) for _, curve in curves)

    def across(n: int) -> float:
        return 100 * n / max(1, length - 1)

    def down(value: float) -> float:
        return 100 * (top - value) / (top - low)

    def label(value: float) -> str:
        return percent(value, 0 if step >= 0.01 else 1) if fraction else f"{value:.3g}"

    grid, paths, points = [], [], []
    for n in range(count + 1):
        y = low + n * step
        grid.append(f'<b style="top:{down(y):.2f}%">{label(y)}</b>')
        paths.append(f'<path class="grid" d="M0 {down(y):.2f}H100"/>')
    for series, (name, curve) in enumerate(curves, start=1):
        spots = [(across(n), down(value)) for n, value in enumerate(curve)]
        steps = "L".join(f"{x:.2f} {y:.2f}" for x, y in spots)
        paths.append(f'<path class="line l{series}" d="M{steps}"/>')
        for n, ((x, y), value) in enumerate(zip(spots, curve, strict=True), start=1):
            text = percent(value, 2) if fraction else f"{value:.4g}"
            points.append(
                f'<i class="point s{series}" style="left:{x:.2f}%;top:{y:.2f}%" '
                f'data-tip="{esc(name)}, {esc(x_title)} {n}: {text}"></i>'
            )
    return (
        '<div class="lines"><div class="ys">' + "".join(grid) + '</div><div class="plot">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(paths)
        + "</svg>"
        + "".join(points)
        + "</div>"
        f'<div class="xs"><span>1</span><span>{esc(x_title)}</span><span>{length}</span></div>'
        "</div>"
    )


def legend(names: Sequence[str]) -> str:
    """Colour and name of each series."""
    keys = (f'<span><i class="s{n}"></i>{esc(name)}</span>' for n, name in enumerate(names, 1))
    return f'<p class="legend">{"".join(keys)}</p>'


def _step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
