"""`bitfold estimate`: another flow's figures for a network, beside bitfold's."""

from pathlib import Path
from typing import final

import click

from bitfold.cli.options import serial_layers

SERIAL = "finn-bitserial"


@final
class Backend(click.ParamType[str | tuple[str, ...]]):
    """`finn`, or `finn-bitserial[:LAYERS]`: FINN's MVAUs that become bit-serial; () for none."""

    name = "backend"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[str, ...]:
        """What `estimate_finn` takes as `bitserial`."""
        if not isinstance(value, str) or value == "finn":
            return ()
        kind, colon, layers = value.partition(":")
        if kind != SERIAL or (colon and not layers.strip(",")):
            self.fail(
                f"{value!r} is not one of finn, {SERIAL}, {SERIAL}:smaller, {SERIAL}:NAME,NAME",
                param,
                ctx,
            )
        return serial_layers(layers or "all")


@click.command("estimate", short_help="FINN's estimates of a network beside bitfold's.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--backend",
    "bitserial",
    type=Backend(),
    metavar="finn|finn-bitserial[:LAYERS]",
    default="finn",
    show_default=True,
    help="LAYERS: smaller, or names that finn prints; all that can be without.",
)
@click.option("--fps", type=float, default=1000.0, show_default=True, help="Frames a second.")
@click.option("--board", default="Pynq-Z1", show_default=True, help="As FINN spells it.")
@click.option("--clock-mhz", type=float, default=100.0, show_default=True)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="FINN's Python environment, made on demand (1.2 GB).  [default: ~/.cache/bitfold/finn]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *,
    model: Path,
    bitserial: str | tuple[str, ...],
    fps: float,
    board: str,
    clock_mhz: float,
    home: Path | None,
    as_json: bool,
) -> None:
    """What MODEL (QONNX) takes by FINN's own estimates, and by bitfold's, at the same rate.

    FINN's front end runs on the network's integers, as far as it goes without Vivado: streamlining,
    conversion, folding, estimates, sources. It writes finn.json beside MODEL, for the report. With
    finn-bitserial, bit-serial layers take the place of FINN's matrix-vector units: of all that can
    be, of those that are smaller so, or of those named.

    \b
    Example:
      bitfold estimate build/digits/model.onnx --backend finn --fps 1000
      bitfold estimate build/digits/model.onnx --backend finn-bitserial:MVAU_rtl_0,MVAU_hls_1
    """
    import json

    from bitfold.api import estimate, estimate_finn
    from bitfold.cli.show import grouped, table
    from bitfold.errors import BudgetError
    from bitfold.files import digest, write_json
    from bitfold.finn.estimate import environment
    from bitfold.synth.environment import environment_there

    where = home or Path.home() / ".cache" / "bitfold" / "finn"
    if not environment_there(environment(), where):
        click.echo(
            f"setting up {environment().tool} in {where} (once; a minute or two) ...", err=True
        )
    found = estimate_finn(
        model, fps=fps, clock_mhz=clock_mhz, board=board, home=where, bitserial=bitserial
    )
    try:
        ours = estimate(model, target="xc7", fps=found.fps, clock_mhz=clock_mhz)
    except BudgetError as error:
        raise BudgetError(
            f"FINN reaches {grouped(found.fps)} frames a second, {fps:g} are asked for; bitfold's "
            f"accelerator does not: {error}. Ask for fewer"
        ) from None
    record = {
        **found.to_json(),
        "model": {"file": model.name, "sha256": digest(model)},
        "wanted_fps": fps,
        "bitserial": bitserial,
        "bitfold": {"target": "xc7", **ours},
    }
    write_json(model.parent / "finn.json", record)
    if as_json:
        click.echo(json.dumps(record, indent=1))
        return
    rows = [
        (x.name, grouped(x.cycles), grouped(x.luts), f"{x.brams:g}", grouped(x.dsps))
        for x in found.nodes
    ]
    heads = ("FINN's layer", "cycles", "LUTs", "BRAM36", "DSPs")
    table(f"{model}: {environment().tool} for {board}, {clock_mhz:g} MHz", heads, rows)
    lines = (
        ("FINN", found.fps, found.latency_us, found.luts, found.brams, found.dsps),
        (
            "bitfold, bit-serial",
            *(ours["fps"], ours["latency_cycles"] / clock_mhz, ours["luts"], ours["brams"], 0.0),
        ),
    )
    table(
        f"{fps:g} frames a second wanted; bitfold at the rate that FINN reaches; estimates",
        ("flow", "frames/s", "latency us", "LUTs", "BRAM36", "DSPs"),
        [
            (name, grouped(rate), grouped(late, 1), grouped(luts), f"{brams:g}", grouped(dsps))
            for name, rate, late, luts, brams, dsps in lines
        ],
    )
    differ = ", ".join(f"{count} after {step}" for step, count in found.differ.items())
    sources = ", ".join(f"{count} {end}" for end, count in sorted(found.generated.items()))
    click.echo(f"of {found.compared} integers differ from the golden model: {differ}")
    click.echo(f"sources generated: {sources}")
    for name, reason in found.kept.items():
        click.echo(f"{name} stays FINN's: {reason}")
    if found.uncounted:
        click.echo(
            f"FINN counts nothing for {', '.join(found.uncounted)}, nor for FIFOs and width "
            "converters, which it adds later; bitfold's figures hold everything."
        )
