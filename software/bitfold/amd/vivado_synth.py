"""`bitfold synth --backend vivado`: figures of a design alone, out of context.

Nothing here was ever run with a real Vivado: see hardware/boards/README.md.
"""

from pathlib import Path

from bitfold.amd.vivado_errors import LOG, explain, image_not_found
from bitfold.amd.vivado_ports import has_parameter
from bitfold.amd.vivado_reports import (
    placed,
    read_hierarchy,
    read_timing,
    read_utilisation,
    totals,
)
from bitfold.amd.vivado_source import (
    flat_source,
    image_complaints,
    image_names,
    rtl_names,
    source_files,
)
from bitfold.amd.vivado_tcl import (
    CONSTRAINTS,
    HIERARCHY,
    OOC,
    TIMING,
    UTILISATION,
    ooc,
    ooc_constraints,
)
from bitfold.compiler.design import TOP, Design
from bitfold.compiler.instances import style_of
from bitfold.errors import ArtefactError, ConfigError, ToolFailed
from bitfold.synth.flow import SynthResult
from bitfold.synth.plan import BuildPlan, Command, Runner, execute
from bitfold.synth.source import design_source, source_digest
from bitfold.synth.target import load_target
from bitfold.synth.usage import shares
from bitfold.synth.vivado import TOOL, VivadoRunner

_CLOCK = "clk_i"


def synth_plan(
    design: Design, target: str, part: str | None, *, place: bool, freq_mhz: float
) -> BuildPlan:
    """Sources, constraints and script. Raises: ConfigError for a part that Vivado does not know."""
    device = load_target(target).part(part)
    if not device.vivado:
        raise ConfigError(f"target {target}: Vivado does not know the part {device.name!r}")
    source = flat_source(design)
    wrong = image_complaints(source)
    if wrong:
        raise ArtefactError(f"{design.folder}: {'; '.join(wrong)}; run `bitfold compile` again")
    styled = has_parameter(source.rtl[f"{TOP}.sv"].decode(), TOP, "Style")
    script = ooc(
        rtl_names(source),
        image_names(source),
        top=TOP,
        device=device.vivado,
        generics={"Style": style_of(target)} if styled else {},
        place=place,
    )
    files = source_files(source) | {
        OOC: script.encode(),
        CONSTRAINTS: ooc_constraints(_CLOCK, freq_mhz).encode(),
    }
    args = ("-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source", OOC)
    return BuildPlan(
        name=f"{TOP}-{device.name}-vivado",
        files=files,
        commands=(Command(tool=TOOL, args=args, log=LOG),),
        outputs=(UTILISATION, HIERARCHY, TIMING),
    )


def synth_design(
    design: Design,
    target: str,
    cache: Path,
    *,
    part: str | None = None,
    place: bool = True,
    runner: Runner | None = None,
) -> SynthResult:
    """Figures of a compiled design by Vivado, in the terms of `synth.flow.synth_design`.

    place: also place and route, for Fmax; without, there is none, as synthesis only guesses wires.
    Raises: ToolNotFound, ToolFailed, ConfigError.
    """
    family = load_target(target)
    device = family.part(part)
    plan = synth_plan(design, target, part, place=place, freq_mhz=design.clock_mhz)
    built = execute(plan, cache, runner or VivadoRunner(), explain)
    missing = image_not_found(built.folder)
    if missing:
        raise ToolFailed(f"vivado did not find the memory image {missing!r}: wrong figures")
    used = read_utilisation(built.folder / UTILISATION)
    whole = totals(used, family)
    routed = placed(used, read_timing(built.folder / TIMING)) if place else None
    return SynthResult(
        top=TOP,
        target=family.name,
        part=device.name,
        totals=whole,
        modules=read_hierarchy(built.folder / HIERARCHY, TOP),
        placed=routed,
        fits=shares(whole, device),
        warnings=(),
        tools=dict(built.tools),
        seconds=round(built.seconds, 1),
        design=source_digest(design_source(design)),
    )
