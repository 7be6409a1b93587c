"""`bitfold finn`: a bitstream by FINN, of the network that bitfold compiles."""

from pathlib import Path

import click


@click.command("finn", short_help="A bitstream by FINN in its container.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--board", default="Pynq-Z1", show_default=True, help="As FINN spells it.")
@click.option("--fps", type=float, default=1000.0, show_default=True, help="Frames a second.")
@click.option("--clock-mhz", type=float, default=100.0, show_default=True)
@click.option(
    "--finn",
    "clone",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("finn"),
    show_default=True,
    help="Clone of FINN's repository.",
)
@click.option(
    "-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="[default: MODEL's finn/]"
)
@click.option("--dry-run", is_flag=True, help="Write the build's folder and print what would run.")
@click.option("--bitserial", hidden=True)  # the seventh option; the examples show it
def command(
    *,
    model: Path,
    board: str,
    fps: float,
    clock_mhz: float,
    clone: Path,
    out: Path | None,
    dry_run: bool,
    bitserial: str | None,
) -> None:
    """Build MODEL (QONNX) with FINN, in FINN's own container, with your Vivado mounted.

    FINN gets the network's integers, its configuration, and samples that it compares its own
    simulations with. FINN_XILINX_PATH and FINN_XILINX_VERSION say where Vivado is.

    \b
    Example:
      bitfold finn build/digits/model.onnx --board Pynq-Z1 --finn ~/finn
      bitfold finn build/digits/model.onnx --dry-run
      bitfold finn model.onnx --bitserial smaller    (bit-serial layers, where they take fewer LUTs)
      bitfold finn model.onnx --bitserial MVAU_rtl_0,MVAU_hls_1    (all, or those named)
    """
    import shlex

    from bitfold.api import read_graph
    from bitfold.cli.options import serial_layers
    from bitfold.finn.build import build_files, finn_bitstream, finn_plan, write_plan
    from bitfold.synth.finn_docker import SCRIPT, FinnDocker

    where = out or model.parent / "finn"
    files = build_files(
        read_graph(model),
        board=board,
        fps=fps,
        clock_mhz=clock_mhz,
        bitserial=() if bitserial is None else serial_layers(bitserial),
    )
    runner = FinnDocker(clone=clone)
    if (clone / SCRIPT).is_file() and (warning := runner.warning()):
        click.echo(f"warning: {warning}", err=True)
    if dry_run:
        write_plan(files, where)
        words, around = runner.start(finn_plan(files).commands[0], where)
        click.echo(f"{where}: written, nothing run. In {clone} would run:")
        for name, value in around.items():
            click.echo(f"  {name}={shlex.quote(value)} \\")
        click.echo(f"  {shlex.join(words)}")
        return
    made = finn_bitstream(files, runner, where, model.parent / "cache" / "finn")
    click.echo(f"{made}: {made.stat().st_size} bytes; reports in {where / 'synth.json'}")
