"""`bitfold hls`: a design as Vitis HLS C++, simulated with g++, handed to Vitis."""

from pathlib import Path

import click


@click.command("hls", short_help="The design as Vitis HLS C++, simulated with g++.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="[default: hls beside DESIGN]")
@click.option("--csim", "simulate", is_flag=True, help="Compile with g++, run, compare.")
@click.option("--run", "start", is_flag=True, help="Start Vitis HLS: synthesis, export as IP.")
@click.option("--part", help="[default: xc7z020clg400-1]")
@click.option(
    "--samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=".npz with x.  [default: test.npz beside DESIGN, else random inputs]",
)
@click.option(
    "--ap-types",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of ap_int.h.  [default: that of hls4ml]",
)
def command(
    *,
    design: Path,
    out: Path | None,
    simulate: bool,
    start: bool,
    part: str | None,
    samples: Path | None,
    ap_types: Path | None,
) -> None:
    """Write DESIGN as C++ for Vitis HLS into a folder: top function, headers, tables, test bench,
    run_hls.tcl. With --csim every integer must equal the golden model's, and every loop go round
    as often as the cost model has cycles: csim.json.

    \b
    Example:
      bitfold hls build/digits/design --csim
    """
    from bitfold.amd.hls import PART, write_hls
    from bitfold.amd.hls_csim import csim
    from bitfold.amd.hls_run import find_vitis, run_vitis
    from bitfold.cli.show import grouped, table
    from bitfold.compiler.design import read_design

    read = read_design(design)
    if start:
        find_vitis()
    out = out or design.parent / "hls"
    beside = design.parent / "test.npz"
    samples = samples or (beside if beside.is_file() else None)
    cache = design.parent / "cache" / "hls"
    about = write_hls(read, out, part=part or PART, samples=samples)
    click.echo(f"{out}: C++ for {about['part']} at {about['clock_ns']:g} ns")
    if simulate:
        found = csim(read, out, cache, ap_types)
        table(
            "Rounds of the busiest loop, a frame",
            ("stage", "rounds", "cycles of the cost model"),
            [(p.stage, grouped(p.rounds), grouped(p.cycles)) for p in found.stages],
        )
        click.echo(
            f"{found.frames} frames ({about['samples']}): {grouped(found.outputs)} integers, "
            f"{found.mismatches} differ; {len(found.loops)} loops as long as predicted"
        )
        click.echo(f"{out / 'csim.json'}")
    if start:
        click.echo(f"{run_vitis(out, cache)}")
