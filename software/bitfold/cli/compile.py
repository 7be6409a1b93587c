"""`bitfold compile`: a QONNX model to a design folder."""

from pathlib import Path
from typing import Literal

import click


@click.command("compile", short_help="QONNX to SystemVerilog.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="[default: the folder `design` beside MODEL]",
)
@click.option("--target", default="ecp5", show_default=True, help="FPGA family.")
@click.option("--fps", type=float, help="Frames a second to fold for.  [default: 1000]")
@click.option("--luts", type=int, help="LUTs to fold within; alone: as fast as they allow.")
@click.option("--part", hidden=True)  # the seventh option; the examples show it
@click.option("--clock-mhz", type=float, default=50.0, show_default=True)
@click.option(
    "--samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=".npz to compare with the QONNX graph on.  [default: test.npz beside MODEL, if there]",
)
@click.option(
    "--ties",
    type=click.Choice(["even", "finn"]),
    default="even",
    hidden=True,  # likewise
)
def command(
    *,
    model: Path,
    out: Path | None,
    target: str,
    fps: float | None,
    luts: int | None,
    part: str | None,
    clock_mhz: float,
    samples: Path | None,
    ties: Literal["even", "finn"],
) -> None:
    """Compile MODEL (QONNX) to SystemVerilog: RTL, memory images, golden graph, test bench.

    \b
    Example:
      bitfold compile build/digits/model.onnx -o build/digits/design --fps 2000
      bitfold compile model.onnx --part lfe5u-25f    (as fast as its LUTs and block RAMs allow)
      bitfold compile model.onnx --ties finn    (halves round up, as in FINN, not to even)
      bitfold compile build/dqmq/modes.json    (one accelerator for all its precision modes)
    """
    from bitfold.cli.options import within
    from bitfold.cli.show import grouped, rates, table
    from bitfold.compiler.compile import compile_model
    from bitfold.cost.units import Mvtu, Vvau

    out = out or model.parent / "design"
    beside = model.parent / "test.npz"
    samples = samples or (beside if beside.exists() else None)
    design = compile_model(
        *(model, out),
        fps=fps,
        **within(target, part, luts),
        target=target,
        clock_mhz=clock_mhz,
        samples=samples,
        ties=ties,
    )
    folded = {
        s.name: f"{s.folding.pe}x{s.folding.simd}" if isinstance(s, Mvtu) else f"{s.group}x1"
        for s in design.stages
        if isinstance(s, Mvtu | Vvau)
    }
    rows = [
        (
            s["name"] + (" <" if s["binds"] else ""),
            folded.get(s["name"], ""),
            grouped(s["luts"]),
            s["brams"],
            grouped(s["cycles"]),
        )
        for s in design.predicted["stages"]
    ]
    total = (grouped(design.predicted["luts"]), design.predicted["brams"])
    rows.append(("total", "", *total, grouped(design.predicted["interval_cycles"])))
    heads = ("stage", "PE x SIMD", "LUTs", "BRAMs", "cycles")
    table(f"Predicted on {target} at {clock_mhz:g} MHz (< binds)", heads, rows)
    click.echo(f"{grouped(design.predicted['fps'])} frames/s")
    rates(design.predicted.get("modes", ()))
    if design.checked:
        click.echo(
            "{samples} samples through QONNX: {mismatches} of {outputs} integers differ with exact "
            "sums, {float32_mismatches} with float32 sums".format(**design.checked)
        )
    click.echo(f"{out}: {len(design.rtl)} RTL files, {len(design.mem)} memories, manifest.json")
