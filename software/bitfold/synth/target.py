"""Synthesis targets: a family of devices as one TOML file in targets/.

A file says how Yosys maps to the family, what each cell of the mapped netlist takes, which parts
there are and how big they are, and which nextpnr places it, if one does.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, final

from bitfold.errors import ConfigError

FILLED = 0.85  # share of a part's LUTs that is folded for
_FOLDER = Path(__file__).parent / "targets"
_TABLES = ("luts", "lut_memory", "ffs", "brams", "dsps", "carries")


@final
@dataclass(frozen=True, kw_only=True)
class Part:
    """A device: how much of each resource it has, and nextpnr's flag for it.

    vivado: its name there, with a package and a speed grade; empty where Vivado does not know it.
    pack:   the bitstream tool's flags for it.
    """

    name: str
    luts: int
    ffs: int
    brams: int
    dsps: int
    flags: tuple[str, ...] = ()
    vivado: str = ""
    pack: tuple[str, ...] = ()

    @property
    def room(self) -> int:
        """LUTs that a design may take so that it still routes, and the cost model may be off."""
        return int(FILLED * self.luts)


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """Place and route with nextpnr.

    prepare: Yosys command for a netlist that is placed without a board; empty for none.
    trim:    cell type and port: where that is unused it is cut off; empty for none.
    package: given unless a board has another. flags: always given.
    alone:   given without a board. alone_files: name -> text of what that names.
    ffs, brams, dsps: what nextpnr's report calls them; None when it does not say.
    luts:    what takes LUTs in that report, and how many each.
    """

    tool: str
    prepare: str
    trim: tuple[str, ...]
    package: tuple[str, ...]
    flags: tuple[str, ...]
    alone: tuple[str, ...]
    alone_files: Mapping[str, str]
    part: str
    freq_mhz: float
    luts: Mapping[str, int]
    ffs: str | None
    brams: str
    dsps: str


@final
@dataclass(frozen=True, kw_only=True)
class Pack:
    """From pins to a bitstream.

    constraints: the name that nextpnr finds the pins under. route: what more it is told.
    tool, args:  what makes `file` of its result.
    """

    constraints: str
    route: tuple[str, ...]
    tool: str
    args: tuple[str, ...]
    file: str


@final
@dataclass(frozen=True, kw_only=True)
class PllRange:
    """What a family's PLL can do; dividers begin at 1.

    reference_mhz:  what it compares, after its input divider.
    oscillator_mhz: of its own oscillator, at best near aim_mhz.
    inside: the output divider is inside the loop: clock = input / in * feedback, else that / out.
    """

    reference_mhz: tuple[float, float]
    oscillator_mhz: tuple[float, float]
    aim_mhz: float
    in_div: int
    feedback_div: int
    out_divs: tuple[int, ...]
    inside: bool


@final
@dataclass(frozen=True, kw_only=True)
class Target:
    """One family.

    flatten_late: map every module by itself, and flatten then.
    costs:        resource -> (cell type -> how many of it a cell takes).
    pack, pll:    of families with boards; pll is None where the PLL is not used.
    """

    name: str
    title: str
    synth: str
    flatten: str
    flatten_late: bool
    hierarchy: str
    costs: Mapping[str, Mapping[str, float]]
    free: frozenset[str]
    parts: Mapping[str, Part]
    place: Place | None
    pack: Pack | None
    pll: PllRange | None

    def part(self, name: str | None) -> Part:
        """A part by name, or the one that place and route takes when none is asked for.

        Raises: ConfigError for a part that the family does not have.
        """
        name = name or (self.place.part if self.place else next(iter(self.parts)))
        if name not in self.parts:
            known = ", ".join(self.parts)
            raise ConfigError(f"target {self.name}: no part {name!r}; parts: {known}")
        return self.parts[name]


def target_names() -> tuple[str, ...]:
    """All targets that have a file."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def load_target(name: str) -> Target:
    """Read targets/<name>.toml. Raises: ConfigError for an unknown name."""
    if name not in target_names():
        near = get_close_matches(name, target_names(), 1)
        hint = f"did you mean {near[0]!r}" if near else f"targets: {', '.join(target_names())}"
        raise ConfigError(f"synthesis target {name!r} is unknown; {hint}")
    table = tomllib.loads((_FOLDER / f"{name}.toml").read_text())
    place, pack, pll = (table.get(key) for key in ("place", "pack", "pll"))
    return Target(
        name=name,
        title=table["title"],
        synth=table["synth"],
        flatten=table["flatten"],
        flatten_late=table.get("flatten_late", False),
        hierarchy=table["hierarchy"],
        costs={resource: table[resource] for resource in _TABLES},
        free=frozenset(table["free"]["cells"]),
        parts={k: _part(k, v) for k, v in table["parts"].items()},
        place=_place(place) if place else None,
        pack=_pack(pack) if pack else None,
        pll=_pll(pll) if pll else None,
    )


def _part(name: str, table: Mapping[str, Any]) -> Part:
    sizes = {key: table[key] for key in ("luts", "ffs", "brams", "dsps")}
    flags, pack = (tuple(table.get(key, ())) for key in ("flags", "pack"))
    return Part(name=name, flags=flags, vivado=table.get("vivado", ""), pack=pack, **sizes)


def _place(table: Mapping[str, Any]) -> Place:
    return Place(
        tool=table["tool"],
        prepare=table.get("prepare", ""),
        trim=tuple(table.get("trim", ())),
        package=tuple(table.get("package", ())),
        flags=tuple(table["flags"]),
        alone=tuple(table["alone"]),
        alone_files=table.get("alone_files", {}),
        part=table["part"],
        freq_mhz=table["freq_mhz"],
        luts=table["luts"],
        ffs=table.get("ffs"),
        brams=table["brams"],
        dsps=table["dsps"],
    )


def _pack(table: Mapping[str, Any]) -> Pack:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Pack(**{**table, **lists})


def _pll(table: Mapping[str, Any]) -> PllRange:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    first, _, last = table["out_divs"].partition("..")
    many = range(int(first), int(last) + 1) if last else map(int, first.split(","))
    return PllRange(**{**table, **lists, "out_divs": tuple(many)})
