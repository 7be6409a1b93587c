"""Figures of one RTL module: python -m bitfold.synth bf_fifo Width=8 Depth=16 --target ecp5."""

from pathlib import Path

import click


@click.command()
@click.argument("top")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--target", "targets", multiple=True, default=("xc7", "ecp5"), show_default=True)
@click.option("--rtl", type=click.Path(path_type=Path), default=Path("hardware/rtl"))
@click.option("--data", type=click.Path(path_type=Path), help="folder of .mem files, kept as name")
@click.option("--fmax", is_flag=True, help="place and route where the target has nextpnr")
def main(  # noqa: PLR0917 - click passes by keyword
    top: str,
    parameters: tuple[str, ...],
    targets: tuple[str, ...],
    rtl: Path,
    data: Path | None,
    fmax: bool,
) -> None:
    """Synthesise module TOP with parameters and print what it takes."""
    from bitfold.errors import BitfoldError
    from bitfold.synth.flow import synth_source
    from bitfold.synth.source import needed_files, read_source

    given = dict(item.split("=", 1) for item in parameters)
    values = {k: int(v) if v.lstrip("-").isdigit() else v for k, v in given.items()}
    files = {f"{data.name}/{p.name}": p for p in data.glob("*.mem")} if data else {}
    try:
        source = read_source(needed_files(rtl, top), top, values, files)
        for target in targets:
            found = synth_source(source, target, Path("build/synth"), place=fmax, tree=False)
            use = found.totals
            click.echo(
                f"{target:6} LUT {use.luts} (memory {use.lut_memory}) FF {use.ffs} "
                f"BRAM {use.brams:g} DSP {use.dsps} carry {use.carries}"
                + (f" Fmax {found.fmax_mhz:.1f} MHz" if found.fmax_mhz else "")
            )
            click.echo(f"       {dict(sorted(use.cells.items()))}")
            for warning in found.warnings:
                click.echo(f"       {warning}")
    except BitfoldError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
