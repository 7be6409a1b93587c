"""`bitfold report`: everything a run folder holds, on one page."""

from pathlib import Path

import click


@click.command("report", short_help="The page that shows a run.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: in FOLDER]"
)
def command(folder: Path, out: Path | None) -> None:
    """Write report.html for the run in FOLDER: one file, no network; and print the summary.

    Parts that were not run say so, with the command that makes them.

    \b
    Example:
      bitfold report build/digits
    """
    from bitfold.cli.show import table
    from bitfold.files import write_text
    from bitfold.report import read_run_folder, render, summary

    run = read_run_folder(folder)
    out = out or folder / "report.html"
    write_text(out, render(run))
    table(f"{folder}", ("figure", "value", "compared with"), summary(run))
    for warning in run.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{out}")
