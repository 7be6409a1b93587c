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

    Parts that were not run say so, with the command that makes them. A FOLDER of results (as
    scripts/reproduce_cifar10 leaves them) gets a page that shows them beside published figures.

    \b
    Example:
      bitfold report build/digits
    """
    from bitfold.cli.show import table
    from bitfold.files import write_text
    from bitfold.report import read_results, read_run_folder, render, render_results, summary

    out = out or folder / "report.html"
    results = read_results(folder)
    if results:
        write_text(out, render_results(folder.resolve().name, results))
        click.echo(f"{len(results)} results: {out}")
        return
    run = read_run_folder(folder)
    write_text(out, render(run))
    table(f"{folder}", ("figure", "value", "compared with"), summary(run))
    for warning in run.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{out}")
