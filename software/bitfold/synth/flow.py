"""`bitfold synth`: figures of a design, or of one module, on a target; synth.json."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from bitfold.compiler.design import Design
from bitfold.compiler.instances import style_of
from bitfold.cost.units import Mvtu
from bitfold.files import read_json, write_json
from bitfold.synth.nextpnr import REPORT, Placed, place_plan, read_report
from bitfold.synth.plan import Runner, execute
from bitfold.synth.source import Source, design_source, source_digest
from bitfold.synth.target import load_target
from bitfold.synth.usage import ModuleUse, Utilisation, overfull, shares
from bitfold.synth.yosys import NETLIST, flat_plan, flat_usage, tree_plan, tree_usage, warnings

KIND = "synth"
SCHEMA = 1


@final
@dataclass(frozen=True, kw_only=True)
class SynthResult:
    """Figures of one design on one target.

    totals:  of the flattened netlist. modules: of the netlist with hierarchy, parents first;
             their sums lie a little above, as nothing is optimised across a border.
    placed:  nextpnr's figures, None where the target has no nextpnr, it was not asked for, or the
             part is too small.
    fits:    resource -> share of the part that is used, 1.0 is full.
    seconds: of the tools, when they ran. design: digest of all that was synthesised.
    """

    top: str
    target: str
    part: str
    totals: Utilisation
    modules: tuple[ModuleUse, ...]
    placed: Placed | None
    fits: Mapping[str, float]
    warnings: tuple[str, ...]
    tools: Mapping[str, str]
    seconds: float
    design: str

    @property
    def fmax_mhz(self) -> float | None:
        """Clock rate that place and route reached."""
        return self.placed.fmax_mhz if self.placed else None

    def write(self, path: Path) -> None:
        """Write synth.json."""
        value: dict[str, Any] = {"kind": KIND, "schema": SCHEMA, "top": self.top}
        value |= {"target": self.target, "part": self.part, "totals": self.totals.to_json()}
        value["fmax_mhz"] = self.fmax_mhz
        value["fits"] = dict(self.fits)
        value["placed"] = self.placed.to_json() if self.placed else None
        value["modules"] = [
            {"path": m.path, "module": m.module, "use": m.use.to_json()} for m in self.modules
        ]
        value |= {"warnings": list(self.warnings), "tools": dict(self.tools)}
        value |= {"seconds": self.seconds, "design": self.design}
        write_json(path, value)

    @staticmethod
    def read(path: Path) -> "SynthResult":
        """Read synth.json. Raises: ArtefactError."""
        value = read_json(path, KIND, SCHEMA)
        placed = value["placed"]
        return SynthResult(
            top=value["top"],
            target=value["target"],
            part=value["part"],
            totals=Utilisation.from_json(value["totals"]),
            modules=tuple(
                ModuleUse(path=m["path"], module=m["module"], use=Utilisation.from_json(m["use"]))
                for m in value["modules"]
            ),
            placed=Placed.from_json(placed) if placed else None,
            fits=value["fits"],
            warnings=tuple(value["warnings"]),
            tools=value["tools"],
            seconds=value["seconds"],
            design=value["design"],
        )


def synth_design(
    design: Design,
    target: str,
    cache: Path,
    *,
    part: str | None = None,
    place: bool = True,
    tree: bool = True,
    seed: int = 1,
    runner: Runner | None = None,
) -> SynthResult:
    """Figures of a compiled design; all else as in `synth_source`.

    The popcounts are built in the target's style, whatever target the design was compiled for.
    """
    source = design_source(design)
    styled = any(isinstance(stage, Mvtu) for stage in design.stages)
    found = synth_source(
        replace(source, parameters={"Style": style_of(target)}) if styled else source,
        target,
        cache,
        part=part,
        place=place,
        tree=tree,
        seed=seed,
        freq_mhz=design.clock_mhz,
        runner=runner,
    )
    return replace(found, design=source_digest(source))


def synth_source(
    source: Source,
    target: str,
    cache: Path,
    *,
    part: str | None = None,
    place: bool = True,
    tree: bool = True,
    seed: int = 1,
    freq_mhz: float | None = None,
    runner: Runner | None = None,
) -> SynthResult:
    """Synthesise; place and route where the target has nextpnr and `place` asks for it.

    tree:     also synthesise with hierarchy, for the figures by instance (twice the time).
    seed:     of nextpnr. freq_mhz: what it aims at, the target's own aim when None.
    Raises: ToolNotFound, ToolFailed, ConfigError.
    """
    family = load_target(target)
    device = family.part(part)
    routed = family.place if place else None
    flat = execute(flat_plan(source, family, netlist=routed is not None), cache, runner)
    totals = flat_usage(flat, family)
    used, seconds = dict(flat.tools), flat.seconds
    modules: tuple[ModuleUse, ...] = ()
    placed = None
    if routed and not overfull(totals, device):
        netlist = (flat.folder / NETLIST).read_bytes()
        plan = place_plan(flat.name, netlist, routed, device, seed=seed, freq_mhz=freq_mhz)
        built = execute(plan, cache, runner)
        placed = read_report(built.folder / REPORT, routed)
        used, seconds = {**used, **built.tools}, seconds + built.seconds
    if tree:
        built = execute(tree_plan(source, family), cache, runner)
        modules = tree_usage(built, source.top, family)
        seconds += built.seconds
    return SynthResult(
        top=source.top,
        target=family.name,
        part=device.name,
        totals=totals,
        modules=modules,
        placed=placed,
        fits=shares(totals, device, placed.luts if placed else None),
        warnings=warnings(flat),
        tools=used,
        seconds=round(seconds, 1),
        design=source_digest(source),
    )
