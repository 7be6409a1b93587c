"""What Vivado's reports say: `report_utilization`, with and without -hierarchical, and
`report_timing_summary`, as of versions 2022.2 to 2025.2.

Columns are found by their headings, since versions and families have more or fewer of them.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ToolFailed
from bitfold.synth.nextpnr import Placed
from bitfold.synth.target import Target
from bitfold.synth.usage import ModuleUse, Utilisation

_LUTS = ("CLB LUTs", "Slice LUTs")
_FFS = ("CLB Registers", "Slice Registers")
_BRAMS = ("Block RAM Tile",)
_DSPS = ("DSPs", "DSP Slices")


@final
@dataclass(frozen=True, kw_only=True)
class Used:
    """report_utilization. used, available: by Vivado's names. cells: primitive -> number."""

    used: Mapping[str, float]
    available: Mapping[str, float]
    cells: Mapping[str, int]

    def of(self, names: tuple[str, ...]) -> float:
        """The first of `names` that the report has. Raises: ToolFailed."""
        for name in names:
            if name in self.used:
                return self.used[name]
        raise ToolFailed(f"report_utilization has no row {' or '.join(map(repr, names))}")


@final
@dataclass(frozen=True, kw_only=True)
class Timing:
    """report_timing_summary: worst slacks of setup, hold and pulse width; shortest clock period."""

    slack_ns: float
    hold_ns: float
    pulse_ns: float
    period_ns: float

    @property
    def met(self) -> bool:
        """Whether every path is in time."""
        return min(self.slack_ns, self.hold_ns, self.pulse_ns) >= 0

    @property
    def fmax_mhz(self) -> float:
        """What the clock could be by the worst path."""
        return 1e3 / (self.period_ns - self.slack_ns)

    @property
    def clock_mhz(self) -> float:
        """What the clock is."""
        return 1e3 / self.period_ns


def _cells(line: str) -> list[str]:
    """The columns of a row, with the blanks in front that show the depth."""
    return [cell.rstrip()[1:] if cell[:1] == " " else cell.rstrip() for cell in
            line.strip().strip("|").split("|")]  # fmt: skip


def _number(text: str) -> float | None:
    try:
        return float(text.strip().removeprefix("<").replace(",", ""))
    except ValueError:
        return None


def read_utilisation(path: Path) -> Used:
    """Parse `report_utilization`. Raises: ToolFailed."""
    used: dict[str, float] = {}
    available: dict[str, float] = {}
    cells: dict[str, int] = {}
    head: list[str] = []
    for line in _lines(path):
        if not line.startswith("|"):
            continue
        row = _cells(line)
        plain = [cell.strip() for cell in row]
        if "Used" in plain:
            head = plain
        elif head and len(plain) == len(head):
            name, number = plain[0].rstrip("*"), _number(plain[head.index("Used")])
            if number is None:
                continue
            if head[0] == "Ref Name" and "Functional Category" in head:
                cells[name] = int(number)
            elif head[0] == "Site Type":
                used.setdefault(name, number)
                most = _number(plain[head.index("Available")]) if "Available" in head else None
                if most is not None:
                    available.setdefault(name, most)
    found = Used(used=used, available=available, cells=cells)
    for names in (_LUTS, _FFS, _BRAMS, _DSPS):
        found.of(names)
    return found


def read_timing(path: Path) -> Timing:
    """Parse `report_timing_summary`. Raises: ToolFailed, also where no path has a clock."""
    lines = _lines(path)
    text = "\n".join(lines)
    slacks = _row_below(lines, "WNS(ns)")
    wns = slacks.get("WNS(ns)")
    summary = text.partition("| Clock Summary")[2]
    periods = [float(p) for p in re.findall(r"\{[\d. ]+\}\s+(\d+\.\d+)\s+\d+\.\d+", summary)]
    if wns is None or not periods:
        raise ToolFailed(f"{path}: no worst slack or no clock; is the design without a clock?")
    # A column says NA where there is no path of its kind.
    hold, pulse = (slacks.get(name) or 0.0 for name in ("WHS(ns)", "WPWS(ns)"))
    return Timing(slack_ns=wns, hold_ns=hold, pulse_ns=pulse, period_ns=min(periods))


def _row_below(lines: list[str], heading: str) -> dict[str, float | None]:
    """Headings, which are two or more blanks apart, to the numbers two lines below."""
    for index, line in enumerate(lines[:-2]):
        if line.strip().startswith(heading):
            names = re.split(r"\s{2,}", line.strip())
            return dict(zip(names, map(_number, lines[index + 2].split()), strict=False))
    return {}


def read_hierarchy(path: Path, top: str) -> tuple[ModuleUse, ...]:
    """Parse `report_utilization -hierarchical`: all instances, parents first.

    Raises: ToolFailed.
    """
    found: list[ModuleUse] = []
    head: list[str] = []
    above: list[str] = []
    for line in _lines(path):
        if not line.startswith("|"):
            continue
        row = _cells(line)
        plain = [cell.strip() for cell in row]
        if plain[0] == "Instance":
            head = plain
        elif head and len(plain) == len(head) and not plain[0].startswith("("):
            depth = (len(row[0]) - len(row[0].lstrip())) // 2
            above[depth:] = [plain[0] if depth else top]
            values = dict(zip(head, plain, strict=True))
            module = top if values["Module"] == "(top)" else _plain(values["Module"])
            found.append(ModuleUse(path="/".join(above), module=module, use=_use(path, values)))
    if not found:
        raise ToolFailed(f"{path}: not a hierarchical utilisation report")
    return tuple(found)


def _plain(module: str) -> str:
    """RTL name of a module that Vivado made several of: bf_fifo__parameterized3."""
    return re.sub(r"(__parameterized\d+|__xdcDup__\d+|_\d+)$", "", module)


def _use(path: Path, values: Mapping[str, str]) -> Utilisation:
    def number(name: str) -> float:
        value = _number(values.get(name, ""))
        if value is None:
            raise ToolFailed(f"{path}: column {name!r} is missing or no number")
        return value

    return Utilisation(
        luts=int(number("Total LUTs")),
        lut_memory=int(number("LUTRAMs") + number("SRLs")),
        ffs=int(number("FFs")),
        brams=number("RAMB36") + number("RAMB18") / 2,
        dsps=int(number("DSP Blocks" if "DSP Blocks" in values else "DSP48 Blocks")),
        carries=0,
        cells={},
    )


def totals(used: Used, target: Target) -> Utilisation:
    """The figures as `bitfold synth` calls them."""
    carries = target.costs["carries"]
    return Utilisation(
        luts=int(used.of(_LUTS)),
        lut_memory=int(used.used.get("LUT as Memory", 0)),
        ffs=int(used.of(_FFS)),
        brams=used.of(_BRAMS),
        dsps=int(used.of(_DSPS)),
        carries=int(sum(carries.get(cell, 0) * number for cell, number in used.cells.items())),
        cells=dict(used.cells),
    )


def placed(used: Used, timing: Timing) -> Placed:
    """The figures after place and route; a half block RAM counts as one."""
    return Placed(
        fmax_mhz=timing.fmax_mhz,
        luts=int(used.of(_LUTS)),
        ffs=int(used.of(_FFS)),
        brams=math.ceil(used.of(_BRAMS)),
        dsps=int(used.of(_DSPS)),
        used={name: math.ceil(number) for name, number in used.used.items()},
        available={name: int(number) for name, number in used.available.items()},
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise ToolFailed(f"{path}: cannot be read ({error.strerror})") from None
