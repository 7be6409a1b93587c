"""Place and route with nextpnr: its command, and its report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from bitfold.errors import ToolFailed
from bitfold.synth.plan import BuildPlan, Command
from bitfold.synth.target import Part, Place
from bitfold.synth.yosys import NETLIST

REPORT = "report.json"


@final
@dataclass(frozen=True, kw_only=True)
class Placed:
    """What nextpnr reports of a placed and routed netlist.

    fmax_mhz: of the slowest clock; None when no path leads from a register to a register.
    used, available: by nextpnr's own resource names.
    luts, ffs, brams, dsps: the same by the target's names; ffs is None where not reported.
    """

    fmax_mhz: float | None
    luts: int
    ffs: int | None
    brams: int
    dsps: int
    used: Mapping[str, int]
    available: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a JSON file."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Placed":
        """Inverse of `to_json`."""
        return Placed(**value)


def place_commands(
    place: Place,
    part: Part,
    *,
    seed: int,
    freq_mhz: float,
    more: Sequence[str],
    package: Sequence[str] = (),
) -> tuple[Command, ...]:
    """The nextpnr run on a netlist beside it; relative names, it sees its own folder alone.

    package: of a board's part, where it is not the target's own.
    """
    given = ["--json", NETLIST, "--report", REPORT, "--seed", str(seed), "--freq", f"{freq_mhz:g}"]
    args = (*part.flags, *(package or place.package), *place.flags, *given, *more)
    route = Command(tool=place.tool, args=args, log="nextpnr.log")
    if not place.trim:
        return (route,)
    return (Command(tool="trim", args=(NETLIST, *place.trim), log="trim.log"), route)


def place_plan(
    name: str, netlist: bytes, place: Place, part: Part, *, seed: int = 1, freq_mhz: float | None
) -> BuildPlan:
    """Place and route Yosys' `netlist` without a board.

    freq_mhz: what it aims at; the target's own aim when None.
    """
    aim = freq_mhz or place.freq_mhz
    return BuildPlan(
        name=f"{name}-placed",
        files={NETLIST: netlist, **{k: v.encode() for k, v in place.alone_files.items()}},
        commands=place_commands(place, part, seed=seed, freq_mhz=aim, more=place.alone),
        outputs=(REPORT,),
    )


def read_report(path: Path, place: Place) -> Placed:
    """Parse nextpnr's report. Raises: ToolFailed when it is not what this version of it writes."""
    try:
        report = json.loads(path.read_text())
        clocks = [float(clock["achieved"]) for clock in report["fmax"].values()]
        used = {name: int(entry["used"]) for name, entry in report["utilization"].items()}
        have = {name: int(entry["available"]) for name, entry in report["utilization"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolFailed(
            f"{path}: not a {place.tool} report ({type(error).__name__}: {error})"
        ) from None
    return Placed(
        fmax_mhz=min(clocks, default=None),
        luts=sum(each * used.get(name, 0) for name, each in place.luts.items()),
        ffs=used.get(place.ffs, 0) if place.ffs else None,
        brams=used.get(place.brams, 0),
        dsps=used.get(place.dsps, 0),
        used=used,
        available=have,
    )
