"""`bitfold explore`: the curve of area against rate of one network."""

from pathlib import Path

import click


@click.command("explore", short_help="Area against rate: the whole curve, some points proven.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path),
              help="[default: the folder `explore` beside MODEL]")  # fmt: skip
@click.option("--target", default="ecp5", show_default=True, help="FPGA family.")
@click.option("--clock-mhz", type=float, default=50.0, show_default=True)
@click.option("--points", type=click.IntRange(min=2), default=12, show_default=True)
@click.option(
    "--prove",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Points that are also simulated and synthesised, evenly spread.",
)
def command(
    *, model: Path, out: Path | None, target: str, clock_mhz: float, points: int, prove: int
) -> None:
    """Fold MODEL (QONNX) for rates from the least to the greatest that it can reach, and show what
    each takes: none of the points is both larger and slower than another.

    Writes explore.json; `bitfold report` of the folder that holds it plots the curve.

    \b
    Example:
      bitfold explore build/digits/model.onnx --target xc7
      bitfold explore build/dqmq/modes.json    (one accelerator for all its precision modes)
    """
    from bitfold.cli.show import grouped, table
    from bitfold.explore import explore

    out = out or model.parent / "explore"
    with click.progressbar(length=points + prove, label="points folded and proven") as shown:
        found = explore(
            model,
            out,
            target=target,
            clock_mhz=clock_mhz,
            points=points,
            prove=prove,
            each=lambda: shown.update(1),
        )
        shown.update(points + prove - shown.pos)  # networks with fewer points
    rows = []
    for row in found:
        point, proof = row.point, row.proof
        more = "-" if point.one_percent is None else f"+{grouped(point.one_percent)}"
        measured = ("", "") if proof is None else (grouped(proof.luts), f"{proof.brams:g}")
        cycles = "" if proof is None else grouped(proof.interval_cycles)
        bound = f"{point.binding[0]}{f' +{len(point.binding) - 1}' if point.binding[1:] else ''}"
        rows.append(
            (grouped(point.fps), grouped(point.interval_cycles), cycles, grouped(point.luts),
             measured[0], f"{point.brams:g}", measured[1], bound, more)
        )  # fmt: skip
    heads = ("frames/s", "cycles", "simulated", "LUTs", "synthesised", "BRAMs", "synthesised",
             "bound by", "1 % faster")  # fmt: skip
    table(f"{model} on {target} at {clock_mhz:g} MHz", heads, rows)
    proofs = [row.proof for row in found if row.proof]
    if proofs:
        outputs, wrong = sum(p.outputs for p in proofs), sum(p.mismatches for p in proofs)
        click.echo(f"{len(proofs)} points simulated: {grouped(outputs)} integers, {wrong} differ")
    click.echo(f"{out / 'explore.json'}")
