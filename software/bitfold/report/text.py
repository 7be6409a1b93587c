"""Numbers and escaped text for the page."""

import html
from typing import Any

_SPACE = "\N{NARROW NO-BREAK SPACE}"


def esc(value: Any) -> str:
    """Text from a file, harmless in HTML content and in quoted attributes."""
    return html.escape(str(value), quote=True)


def number(value: float | None, digits: int = 0) -> str:
    """1234567 as "1 234 567" with narrow spaces; "-" for None."""
    return "-" if value is None else f"{float(value):,.{digits}f}".replace(",", _SPACE)


def short(value: float) -> str:
    """Three figures and a unit prefix: 2084352 as "2.08 M"."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{float(value) / limit:.3g}{_SPACE}{unit}"
    return f"{float(value):.3g}"


def percent(value: float, digits: int = 1) -> str:
    """0.987 as "98.7 %"."""
    return f"{100 * float(value):.{digits}f}{_SPACE}%"


def ratio(value: float, base: float) -> str:
    """How many times smaller than `base`: "7.1x less"."""
    if not value or not base:
        return "-"
    return f"{base / value:.1f}x less" if base >= value else (f"{value / base:.1f}x more")


def seconds(value: float) -> str:
    """75.2 as "1 min 15 s"."""
    if value < 10:
        return f"{float(value):.1f}{_SPACE}s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}{_SPACE}min {rest}{_SPACE}s" if minutes else f"{rest}{_SPACE}s"
