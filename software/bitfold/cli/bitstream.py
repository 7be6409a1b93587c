"""`bitfold bitstream`: a design and a board to a file that is loaded into the FPGA."""

from pathlib import Path

import click


@click.command("bitstream", short_help="A file for the board.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--board", default="ulx3s", show_default=True)
@click.option("--part", help="Device on the board.  [default: the board's usual one]")
@click.option("--clock-mhz", type=float, help="[default: the design's]")
@click.option("--baud", type=int, help="Of the serial line.  [default: the board's]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
def command(
    *,
    design: Path,
    board: str,
    part: str | None,
    clock_mhz: float | None,
    baud: int | None,
    seed: int,
) -> None:
    """Place and route DESIGN on a board and pack the bitstream.

    Writes bitstream/top.bit and bitstream/bitstream.json into DESIGN. The board then answers on its
    serial port: see `bitfold run`.

    \b
    Example:
      bitfold bitstream build/digits/design --board ulx3s
    """
    from bitfold.cli.show import grouped
    from bitfold.compiler.design import read_design
    from bitfold.synth.bitstream import bitstream

    read = read_design(design)
    out = design / "bitstream"
    made = bitstream(
        read,
        board,
        out,
        design.parent / "cache" / "synth",
        part=part,
        clock_mhz=clock_mhz or read.clock_mhz,
        baud=baud,
        seed=seed,
    )
    click.echo(
        f"{made.board} ({made.part}): {grouped(made.luts)} LUTs, {grouped(made.ffs)} FFs, "
        f"{made.brams:g} BRAMs; clock {made.clock_mhz:g} MHz of {made.fmax_mhz:.1f} possible"
    )
    click.echo(f"{out / made.file}: {grouped(made.size_bytes)} bytes")
