"""`bitfold synth`: what a design takes of an FPGA, from the synthesis tools."""

from pathlib import Path

import click

from bitfold.cli.options import RUNNER, build_runner, local_only


@click.command("synth", short_help="LUTs, FFs, block RAMs, DSPs, Fmax.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--target", help="xc7, xcup, ecp5, ice40 or gowin.  [default: the design's]")
@click.option("--part", help="Device of the family.  [default: a middling one]")
@click.option("--place/--no-place", default=True, help="Place and route where the tools can: Fmax.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
@click.option(
    "--backend",
    type=click.Choice(["yosys", "vivado"]),
    default="yosys",
    show_default=True,
    help="vivado: AMD's, out of context, for xc7 and xcup.",
)
@RUNNER
def command(
    *,
    design: Path,
    target: str | None,
    part: str | None,
    place: bool,
    seed: int,
    backend: str,
    runner: str,
) -> None:
    """Synthesise DESIGN with Yosys (and nextpnr): LUTs, FFs, block RAMs, DSPs by module, Fmax.

    Writes synth-TARGET.json into DESIGN, with the figures of the backend that made them.

    \b
    Example:
      bitfold synth build/digits/design --target xc7
      bitfold synth build/digits/design --target xc7 --part xc7z020 --backend vivado
      bitfold synth build/digits/design --runner docker    (the tools of bitfold's image)
    """
    from bitfold.cli.show import grouped, percent, table
    from bitfold.compiler.design import read_design
    from bitfold.errors import ConfigError
    from bitfold.synth.flow import synth_design
    from bitfold.synth.target import load_target
    from bitfold.synth.usage import overfull

    read = read_design(design)
    target = target or read.target
    cache = design.parent / "cache" / "synth"
    if backend == "vivado":
        from bitfold.amd import vivado_synth

        if seed != 1:
            raise ConfigError("--seed: Vivado's place and route takes none")
        local_only(runner)
        found = vivado_synth.synth_design(read, target, cache, part=part, place=place)
    else:
        found = synth_design(
            *(read, target, cache),
            part=part,
            place=place,
            seed=seed,
            runner=build_runner(runner),
        )
    path = design / f"synth-{target}.json"
    found.write(path)
    uses = [(m.path.replace("/", " / ") + f"  ({m.module})", m.use) for m in found.modules]
    # Two levels: the whole tree is in the file.
    shown = [(name, use) for name, use in uses if name.count(" / ") <= 2]
    table(
        f"{found.target}, {found.part}",
        ("instance", "LUTs", "FFs", "BRAMs", "DSPs"),
        [
            (name, grouped(use.luts), grouped(use.ffs), f"{use.brams:g}", use.dsps)
            for name, use in [*shown, ("flattened", found.totals)]
        ],
    )
    click.echo(", ".join(f"{percent(v, 1)} of the {k}" for k, v in found.fits.items()))
    missing = overfull(found.totals, load_target(target).part(part))
    if missing:
        click.echo(f"does not fit {found.part} ({missing}): not placed, no Fmax")
    if found.fmax_mhz:
        click.echo(f"Fmax {found.fmax_mhz:.1f} MHz after place and route")
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{path}")
