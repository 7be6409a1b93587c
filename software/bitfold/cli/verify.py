"""`bitfold verify`: simulate a design and compare it with the golden model."""

from pathlib import Path

import click


@click.command("verify", short_help="Prove a design by simulation: integers and cycles.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=".npz with x and maybe y.  [default: test.npz beside DESIGN, else random inputs]",
)
@click.option("--frames", type=click.IntRange(min=2), help="Samples at full rate.  [default: all]")
@click.option(
    "--protocol-frames",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Samples through cocotb's AXI4-Stream models, without and with random stalls.",
)
@click.option(
    "--planes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A modes.json written by hand: planes that the host writes into the registers before.",
)
@click.option("--vcd", "waves", flag_value="vcd", help="Write the waveform design/sim/waves.vcd.")
@click.option(
    "--fst",
    "waves",
    flag_value="fst",
    help="As waves.fst; needs liblz4-dev, zlib1g-dev.",
)
def command(
    *,
    design: Path,
    samples: Path | None,
    frames: int | None,
    protocol_frames: int,
    planes: Path | None,
    waves: str | None,
) -> None:
    """Simulate DESIGN under Verilator: every output integer must equal the golden model's, every
    cycle the cycle model's. Writes verify.json; with --planes verify-planes.json.

    \b
    Example:
      bitfold verify build/digits/design --samples build/digits/test.npz
    """
    from bitfold.cli.show import grouped, percent, table
    from bitfold.sim.verify import verify_design

    beside = design.parent / "test.npz"
    samples = samples or (beside if beside.is_file() else None)
    click.echo(f"inputs: {samples or 'random (no --samples, no test.npz beside the design)'}")
    found = verify_design(
        design,
        samples=samples,
        frames=frames,
        protocol_frames=protocol_frames,
        waves=waves,
        cache=design.parent / "cache" / "verilator",
        planes=planes,
    )
    rows = [
        (t.stage, grouped(t.latency_predicted), grouped(t.latency_measured),
         grouped(t.interval_predicted), grouped(t.interval_measured))
        for t in found.timing
    ]  # fmt: skip
    heads = ("stream", "latency predicted", "measured", "interval predicted", "measured")
    table("Cycles", heads, rows)
    click.echo(
        f"{found.frames} frames at full rate, {found.protocol_frames} twice through AXI4-Stream "
        f"(free and with random stalls): {grouped(found.outputs)} integers, "
        f"{found.mismatches} differ"
    )
    if found.modes:
        rates = [
            (str(m.mode), m.frames, grouped(m.interval_predicted), grouped(m.interval_measured))
            for m in found.modes
        ]
        stay = ("mode", "frames", "interval predicted", "measured")
        table("Precision modes, changed from frame to frame", stay, rates)
    if found.argmax_accuracy is not None:
        click.echo(f"accuracy of the simulated hardware: {percent(found.argmax_accuracy)}")
    rate = grouped(found.cycles_per_second)
    click.echo(f"{grouped(found.simulated_cycles)} cycles simulated at {rate} a second")
    click.echo(f"{design / ('verify-planes.json' if planes else 'verify.json')}")
