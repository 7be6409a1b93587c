"""`bitfold calibrate`: fit a target's LUT coefficients to synthesised stages."""

from pathlib import Path

import click


@click.command("calibrate", short_help="Fit the LUT model to synthesis.")
@click.option("--target", default="ecp5", show_default=True, help="FPGA family.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="[default: print the table]",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/calibrate"),
    show_default=True,
    help="Synthesised stages, kept for the next time.",
)
@click.option("--only", metavar="KIND", help="Stages of this kind alone, such as ModeControl.")
def command(target: str, out: Path | None, cache: Path, only: str | None) -> None:
    """Synthesise stages over a grid of parameters and fit the LUT model of a target to them.

    Takes minutes. The table belongs into software/bitfold/cost/targets.

    \b
    Example:
      bitfold calibrate --target xc7 -o software/bitfold/cost/targets/xc7.toml
    """
    from importlib.metadata import version

    from bitfold.cli.show import percent, table
    from bitfold.cost.calibrate import fit, fit_kind, to_toml
    from bitfold.cost.grid import grid
    from bitfold.cost.luts import Part, read_target, stage_luts
    from bitfold.errors import ConfigError
    from bitfold.files import write_text
    from bitfold.hardware import hardware_folder
    from bitfold.synth.samples import synthesise_stage

    before = read_target(target)
    stages = list(grid())
    others: list[Part] = []
    if only is not None:
        kinds = sorted({type(stage).__name__ for stage in stages})
        if only not in kinds:
            raise ConfigError(
                f"--only {only}: no such kind of stage; there are: {', '.join(kinds)}"
            )
        others = [stage for stage in stages if type(stage).__name__ != only]
        stages = [stage for stage in stages if type(stage).__name__ == only]
    samples = []
    with click.progressbar(stages, label=f"synthesising for {target}") as shown:
        for stage in shown:
            samples.append(synthesise_stage(stage, target, hardware_folder() / "rtl", cache))
    tool = f"pyosys {version('pyosys')}"
    found = fit_kind(before, samples, others, tool, only) if only else fit(before, samples, tool)
    rows = []
    for sample in samples:
        predicted = stage_luts(sample.stage, found.target)
        off = f"{100 * (predicted / sample.luts - 1):+.1f} %"
        rows.append((sample.stage.name, f"{sample.luts:.0f}", f"{predicted:.0f}", off))
    table(f"LUTs on {target}", ("stage", "synthesised", "predicted", "difference"), rows)
    click.echo(f"error: {percent(found.mean_error)} mean, {percent(found.worst_error)} at worst")
    if out is None:
        click.echo(to_toml(found.target))
    else:
        write_text(out, to_toml(found.target))
        click.echo(f"{out}")
