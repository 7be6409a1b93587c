"""`bitfold cost`: what a network takes in hardware, without making it."""

from pathlib import Path

import click


@click.command("cost", short_help="What a model takes in hardware; does it fit.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", default="ecp5", show_default=True, help="FPGA family.")
@click.option("--fps", type=float, help="Frames a second to fold for.  [default: 1000]")
@click.option("--luts", type=int, help="LUTs to fold within; alone: as fast as they allow.")
@click.option("--part", help="FPGA to fold for; alone: as fast as it allows.")
@click.option("--clock-mhz", type=float, default=50.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *,
    model: Path,
    target: str,
    fps: float | None,
    luts: int | None,
    part: str | None,
    clock_mhz: float,
    as_json: bool,
) -> None:
    """What MODEL (QONNX) takes, by stage: BitOps, size, LUTs, block RAMs, cycles; does it fit.

    \b
    Example:
      bitfold cost build/digits/model.onnx --target xc7 --fps 5000
      bitfold cost build/digits/model.onnx --part lfe5u-25f
      bitfold cost build/dqmq/modes.json    (one accelerator for all its precision modes)
    """
    import json

    from bitfold.api import estimate
    from bitfold.cli.options import within
    from bitfold.cli.show import grouped, percent, rates, table

    found = estimate(
        model, target=target, fps=fps, clock_mhz=clock_mhz, **within(target, part, luts)
    )
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    rows = [
        (
            s["name"] + (" <" if s["binds"] else ""),
            f"{s['w_bits']}x{s['a_bits']}" if "w_bits" in s else "",
            grouped(s["bitops"]) if "bitops" in s else "",
            grouped(s["weight_bits"]) if "weight_bits" in s else "",
            grouped(s["luts"]),
            s["brams"],
            grouped(s["cycles"]),
            percent(s["utilisation"], 0) if "utilisation" in s else "",
        )
        for s in found["stages"]
    ]
    total = (
        *("total", "", grouped(found["bitops"]), grouped(found["weight_bits"])),
        *(grouped(found["luts"]), found["brams"], grouped(found["interval_cycles"]), ""),
    )
    heads = ("stage", "WxA", "BitOps", "weight bits", "LUTs", "BRAMs", "cycles", "lanes busy")
    table(f"{model} on {target} at {clock_mhz:g} MHz", heads, [*rows, total])
    click.echo(
        f"{grouped(found['fps'])} frames/s; latency {grouped(found['latency_cycles'])} cycles; "
        f"bound by: {', '.join(found['binding'])}"
    )
    rates(found.get("modes", ()))
    more = found["one_percent_luts"]
    said = "cannot be" if more is None else f"+{grouped(more)} LUTs"
    click.echo(f"one percent more frames a second: {said}")
    for each in found["parts"]:
        verdict = "fits" if each["fits"] else "does not fit"
        click.echo(
            f"{each['name']}: {percent(each['luts'], 0)} of the LUTs, "
            f"{percent(each['brams'], 0)} of the block RAMs: {verdict}"
        )
