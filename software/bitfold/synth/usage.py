"""What a netlist takes of a device, counted from its cells by the tables of the target."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from bitfold.errors import ConfigError
from bitfold.synth.target import Part, Target


@final
@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """Resources of a module and of all below it.

    luts:       all LUTs, memory included. On ecp5 what nextpnr calls TRELLIS_COMB.
    lut_memory: those of them that hold memory or a shift register.
    brams:      block RAMs in the target's unit (xc7: 36 kbit, so that a half may appear).
    carries:    carry cells in the target's unit.
    cells:      cell type -> count, as Yosys names them.
    """

    luts: int
    lut_memory: int
    ffs: int
    brams: float
    dsps: int
    carries: int
    cells: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a JSON file."""
        return asdict(self) | {"cells": dict(sorted(self.cells.items()))}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Utilisation":
        """Inverse of `to_json`."""
        return Utilisation(**value)


@final
@dataclass(frozen=True, kw_only=True)
class ModuleUse:
    """One instance in the design's tree.

    path: instance names from the top, "top/u_layer0/u_mvu". module: its RTL name, "bf_mvu".
    """

    path: str
    module: str
    use: Utilisation


def count(cells: Mapping[str, int], target: Target) -> Utilisation:
    """Resources of a flat list of cells.

    Raises: ConfigError for a cell that the target's tables do not hold: it would count as nothing.
    """
    known = target.free.union({"$scopeinfo"}, *target.costs.values())
    for cell in cells:
        if cell not in known:
            raise ConfigError(
                f"synthesis target {target.name}: cell {cell!r} of the netlist is in none of its "
                f"tables; add it to software/bitfold/synth/targets/{target.name}.toml"
            )

    def total(resource: str) -> float:
        table = target.costs[resource]
        return sum(table.get(cell, 0) * number for cell, number in cells.items())

    memory = total("lut_memory")
    return Utilisation(
        luts=int(total("luts") + memory),
        lut_memory=int(memory),
        ffs=int(total("ffs")),
        brams=total("brams"),
        dsps=int(total("dsps")),
        carries=int(total("carries")),
        cells={cell: number for cell, number in cells.items() if cell != "$scopeinfo"},
    )


def module_tree(
    stat: Mapping[str, Any],
    instances: Mapping[str, Mapping[str, str]],
    top: str,
    target: Target,
    depth: int,
) -> tuple[ModuleUse, ...]:
    """Every instance down to `depth` levels below `top`, parents first, each with all below it.

    stat:      Yosys' `stat -json` of a netlist with hierarchy.
    instances: module -> (instance name -> module), without cells of the library.
    """
    modules = {name.removeprefix("\\"): value for name, value in stat["modules"].items()}
    found: list[ModuleUse] = []

    def visit(path: str, module: str, level: int) -> Counter[str]:
        cells = Counter(
            {
                cell: number
                for cell, number in modules[module]["num_cells_by_type"].items()
                if cell.removeprefix("\\") not in modules
            }
        )
        place = len(found)
        for name, below in instances.get(module, {}).items():
            cells.update(visit(f"{path}/{name}", below, level + 1))
        if level <= depth:
            use = count(cells, target)
            found.insert(place, ModuleUse(path=path, module=plain_name(module), use=use))
        return cells

    visit(top, top, 0)
    return tuple(found)


def plain_name(module: str) -> str:
    r"""RTL name of a parametrised module: "$paramod$1f..\bf_fifo" and the like to "bf_fifo"."""
    if not module.startswith("$paramod"):
        return module
    parts = module.split("\\")
    return parts[1] if len(parts) > 1 else module


def shares(use: Utilisation, part: Part, luts: int | None = None) -> dict[str, float]:
    """Share of the part per resource; `luts` where place and route has found their number."""
    return {
        "luts": (use.luts if luts is None else luts) / part.luts,
        "ffs": use.ffs / part.ffs,
        "brams": use.brams / part.brams,
        "dsps": use.dsps / part.dsps,
    }


def overfull(use: Utilisation, part: Part) -> str:
    """What the part has too little of, as "43 block RAMs of 30"; empty when all fits."""
    names = {"luts": "LUTs", "ffs": "flip-flops", "brams": "block RAMs", "dsps": "DSPs"}
    return ", ".join(
        f"{getattr(use, key):g} {names[key]} of {getattr(part, key)}"
        for key, share in shares(use, part).items()
        if share > 1
    )
