"""`bitfold export`: a network for another flow."""

from pathlib import Path

import click


@click.command("export", short_help="A network as another flow takes it.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--for", "flow", type=click.Choice(["finn"]), default="finn", show_default=True)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--integers", is_flag=True, help="FINN-ONNX, streamlined: also of residual networks.")
@click.option("--top-k", is_flag=True, help="The class leaves, not the outputs (QONNX only).")
def command(*, model: Path, flow: str, out: Path, integers: bool, top_k: bool) -> None:
    """Write MODEL (QONNX) as FINN takes it, or say what FINN would trip over.

    The file is QONNX with an integer input; where FINN's default steps will not do, as for residual
    networks, that is said. With --integers it is the network as bitfold compiles it, integers and
    thresholds alone: nothing is left to streamline, ties are rounded as QONNX says.

    \b
    Example:
      bitfold export build/digits/model.onnx --for finn -o build/digits/finn.onnx
    """
    from bitfold.errors import ConfigError
    from bitfold.finn.prepare import export_integers, export_qonnx

    if integers and top_k:
        raise ConfigError("--top-k is of QONNX files; with --integers the host takes the greatest")
    if integers:
        export_integers(model, out)
    else:
        left = export_qonnx(model, out, top_k=top_k)
        if left:
            click.echo(f"warning: FINN's default steps do not take {out}: {left[0]}", err=True)
            if left[1:]:
                click.echo(f"  and {len(left) - 1} more nodes, {left[1].node!r} first", err=True)
    click.echo(f"{out}: for {flow.upper()}")
