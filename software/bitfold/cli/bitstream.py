"""`bitfold bitstream`: a design and a board to a file that is loaded into the FPGA."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bitfold.cli.options import RUNNER, build_runner, local_only

if TYPE_CHECKING:
    from bitfold.compiler.design import Design


@click.command("bitstream", short_help="A file for the board.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--board", default="ulx3s", show_default=True)
@click.option("--part", help="Device on the board.  [default: the board's usual one]")
@click.option(
    "--clock-mhz",
    type=float,
    help="[default: the design's, or the board's where that cannot be]",
)
@click.option("--baud", type=int, help="Of the serial line.  [default: the board's]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
@click.option("--dry-run", is_flag=True, help="Write what Vivado would be given, do not start it.")
@RUNNER
def command(
    *,
    design: Path,
    board: str,
    part: str | None,
    clock_mhz: float | None,
    baud: int | None,
    seed: int,
    dry_run: bool,
    runner: str,
) -> None:
    """Place and route DESIGN on a board and pack the bitstream.

    Writes the bitstream (top.bit, top.bin or top.fs, as the board's family has it) and
    bitstream.json into DESIGN/bitstream. The board then answers on its serial port: see
    `bitfold run`. pynq-z1, pynq-z2 and kv260 take AMD's Vivado, which must be on PATH; beside
    top.bit and top.hwh lies driver.py, to be run on the board.

    \b
    Example:
      bitfold bitstream build/digits/design --board ulx3s
      bitfold bitstream build/digits/design --board pynq-z1 --dry-run
      bitfold bitstream build/digits/design --runner docker    (the tools of bitfold's image)
    """
    from bitfold.cli.show import grouped
    from bitfold.compiler.design import read_design
    from bitfold.errors import ConfigError
    from bitfold.synth.bitstream import bitstream
    from bitfold.synth.boards import board_flow, load_board, usual_clock

    read = read_design(design)
    if board_flow(board) == "vivado":
        from bitfold.amd.vivado_bitstream import refuse_serial_options

        refuse_serial_options(board, part, baud, seed)
        local_only(runner)
        asked = read.clock_mhz if clock_mhz is None else clock_mhz
        _by_vivado(read, board, asked, dry_run=dry_run)
        return
    if dry_run:
        raise ConfigError(f"--dry-run is for boards that Vivado builds; {board} needs no Vivado")
    if clock_mhz is None:
        clock_mhz = usual_clock(load_board(board), read.clock_mhz)
    out = design / "bitstream"
    made = bitstream(
        read,
        board,
        out,
        design.parent / "cache" / "synth",
        part=part,
        clock_mhz=clock_mhz,
        baud=baud,
        seed=seed,
        runner=build_runner(runner),
    )
    click.echo(
        f"{made.board} ({made.part}): {grouped(made.luts)} LUTs, {grouped(made.ffs)} FFs, "
        f"{made.brams:g} BRAMs; clock {made.clock_mhz:g} MHz of {made.fmax_mhz:.1f} possible"
    )
    click.echo(f"{out / made.file}: {grouped(made.size_bytes)} bytes")


def _by_vivado(read: "Design", board: str, clock_mhz: float, *, dry_run: bool) -> None:
    from bitfold.amd.vivado_bitstream import vivado_bitstream, write_plan
    from bitfold.cli.show import grouped

    design = read.folder
    beside = design.parent / "test.npz"
    samples = beside if beside.is_file() else None
    if dry_run:
        out = design / f"plan-{board}"
        for command in write_plan(read, board, out, clock_mhz=clock_mhz, samples=samples):
            click.echo(f"would run in {out}: {command.tool} {' '.join(command.args)}")
        click.echo(f"{out}: scripts, sources and driver; nothing was run")
        return
    out = design / "bitstream"
    cache = design.parent / "cache" / "synth"
    made = vivado_bitstream(read, board, out, cache, clock_mhz=clock_mhz, samples=samples)
    click.echo(
        f"{made.board} ({made.part}): {grouped(made.luts)} LUTs, {grouped(made.ffs)} FFs, "
        f"{made.brams:g} BRAMs; clock {made.clock_mhz:g} MHz of {made.fmax_mhz:.1f} possible"
    )
    click.echo(f"{out / made.file}: {grouped(made.size_bytes)} bytes; on the board: {made.driver}")
