"""The section of a network's curve of area against rate, and its chart."""

from collections.abc import Sequence
from math import ceil, floor, log10

from bitfold.report import charts
from bitfold.report.folder import Json, RunFolder
from bitfold.report.sections import table
from bitfold.report.text import esc, number, short

NOTE = (
    "Every point is a folding of the same network, of which none is both larger and slower; the "
    "cost model's figures, and what synthesis found where a point was proven. Both axes are "
    "logarithmic."
)


def explored(run: RunFolder) -> str | None:
    """The curve and its points; None if the network was not explored."""
    if run.explore is None:
        return None
    points = run.explore["points"]
    predicted = [(p["fps"], p["luts"], _tip(p)) for p in points]
    proven = [
        (p["fps"], p["proof"]["luts"], f"synthesised: {number(p['proof']['luts'])} LUTs")
        for p in points
        if p["proof"]
    ]
    names = [f"LUTs on {run.explore['target']}, predicted"]
    names += ["synthesised, and simulated"] if proven else []
    return charts.legend(names) + _chart(predicted, proven) + _table(points)


def _tip(point: Json) -> str:
    return f"{short(point['fps'])} frames/s, {number(point['luts'], 0)} LUTs"


def _table(points: Sequence[Json]) -> str:
    rows = []
    for point in points:
        proof = point["proof"] or {}
        bound, more = point["binding"], point["one_percent"]
        rows.append(
            (
                short(point["fps"]),
                number(point["interval_cycles"]),
                number(proof.get("interval_cycles")),
                number(point["luts"], 0),
                number(proof.get("luts")),
                f"{point['brams']:g}",
                esc(bound[0]) + (f" and {len(bound) - 1} more" if bound[1:] else ""),
                "-" if more is None else f"+{number(more, 0)}",
            )
        )
    heads = ("frames/s", "cycles", "simulated", "LUTs", "synthesised", "BRAMs", "bound by",
             "LUTs for 1 % more")  # fmt: skip
    return table(heads, rows)


def _chart(
    line: Sequence[tuple[float, float, str]], spots: Sequence[tuple[float, float, str]]
) -> str:
    """Points (x, y, tip) on logarithmic axes: joined ones, and single ones in another colour."""
    xs = _ends([x for x, _, _ in [*line, *spots]])
    ys = _ends([y for _, y, _ in [*line, *spots]])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - log10(xs[0])) / (log10(xs[1]) - log10(xs[0]))
        up = (log10(y) - log10(ys[0])) / (log10(ys[1]) - log10(ys[0]))
        return 100 * across, 100 * (1 - up)

    marks = [
        f'<i class="point seen s{series}" style="left:{left:.2f}%;top:{top:.2f}%" '
        f'data-tip="{esc(tip)}" tabindex="0"></i>'
        for series, points in ((1, line), (2, spots))
        for x, y, tip in points
        for left, top in [place(x, y)]
    ]
    path = "L".join("{:.2f} {:.2f}".format(*place(x, y)) for x, y, _ in line)
    ticks = [(value, place(xs[0], value)[1]) for value in _ticks(*ys)]
    grid = "".join(f'<path class="grid" d="M0 {top:.2f}H100"/>' for _, top in ticks)
    labels = "".join(f'<b style="top:{top:.2f}%">{short(value)}</b>' for value, top in ticks)
    return (
        f'<div class="lines"><div class="ys">{labels}</div><div class="plot tall">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'{grid}<path class="line l1" d="M{path}"/></svg>{"".join(marks)}</div>'
        f'<div class="xs"><span>{short(xs[0])}</span><span>frames/s</span>'
        f"<span>{short(xs[1])}</span></div></div>"
    )


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Round numbers (1, 2, 5 times a power of ten) below and above all values, never equal."""
    low = max(v for v in _round(min(values)) if v <= min(values))
    high = min(v for v in _round(max(values)) if v >= max(values))
    return (low, high) if high > low else (low, 10 * low)


def _round(value: float) -> list[float]:
    power = floor(log10(value))
    return [m * 10.0**p for p in (power - 1, power, power + 1) for m in (1, 2, 5)]


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from end to end."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high * 1.0001]
