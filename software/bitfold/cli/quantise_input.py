"""`bitfold quantise-input`: integers at the input of a network that was exported without them."""

from fractions import Fraction
from pathlib import Path

import click


class _Real(click.ParamType[float]):
    """A number, or a quotient of two such as 1/255."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return float(Fraction(str(value)))
        except (ValueError, ZeroDivisionError, OverflowError):
            self.fail(f"{value!r} is no number; give one like 0.0039 or 1/255", param, ctx)


@click.command("quantise-input", short_help="Put a quantiser at a network's input.")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="[default: MODEL with _input at the end of its name]",
)
@click.option("--bits", type=int, default=8, show_default=True, help="Of an integer, 1 to 8.")
@click.option("--scale", type=_Real(), required=True, help="The real that one integer step is.")
@click.option("--signed", is_flag=True, help="Two's complement; else from 0 up.")
def command(model: Path, out: Path | None, bits: int, scale: float, signed: bool) -> None:
    """Write MODEL with a Quant node at its input: integer = clip(round(x / scale)).

    Hardware needs integers, and some exporters (Brevitas' examples, QKeras) leave the input real.
    Pixels of 8 bits that the network takes as 0..1 have the scale 1/255 and no sign. It changes
    the network where inputs are no such integers: measure its accuracy again.

    \b
    Example:
      bitfold quantise-input mobilenet.onnx --scale 1/255 -o mobilenet_uint8.onnx
      bitfold compile mobilenet_uint8.onnx
    """
    from bitfold.compiler.input_quantiser import add_input_quantiser

    out = out or model.with_name(f"{model.stem}_input.onnx")
    add_input_quantiser(model, out, bits=bits, scale=scale, signed=signed)
    click.echo(f"{out}")
