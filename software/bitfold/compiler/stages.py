"""Layers and their foldings to the chain of stages that the hardware is made of."""

from dataclasses import dataclass
from math import prod
from typing import final

from bitfold.compiler.lower import Layer, LinearLayer, PoolLayer
from bitfold.cost import Folding
from bitfold.cost.shape import divisors
from bitfold.cost.stages import AxisIn, AxisOut, Gather, Mvtu, Pool, Stage, Window
from bitfold.ir import Graph, IntType

MAX_INPUT_GROUP = 4  # bytes of an input beat: one 32-bit AXI word


@final
@dataclass(frozen=True, kw_only=True)
class LayerFolding:
    """A layer's folding and how many comparators its thresholds share."""

    folding: Folding
    tpe: int


def input_stage(graph: Graph) -> AxisIn:
    """How integers enter: all channels of a pixel in a beat if they fit in a word."""
    shape = graph.input_type.shape
    channels, pixels = (shape[0], shape[1] * shape[2]) if len(shape) == 3 else (shape[0], 1)
    group = max(d for d in divisors(channels) if d <= MAX_INPUT_GROUP)
    return AxisIn(
        name="input",
        group=group,
        planes=graph.input_type.bits,
        beats=pixels * (channels // group),
    )


def acc_width(acc: IntType) -> int:
    """Bits of a two's complement accumulator for values of type `acc`."""
    return acc.bits + (0 if acc.signed else 1)


def linear_stages(layer: LinearLayer, group: int, how: LayerFolding) -> tuple[Stage, ...]:
    """Line buffer (for a convolution) and matrix-vector-threshold unit."""
    stages: list[Stage] = []
    if layer.conv is not None:
        stages.append(_window(f"{layer.name}_window", layer.x, group, layer.conv))
    outputs, inputs = layer.matrix.shape
    thresholds = layer.thresholds
    stages.append(
        Mvtu(
            name=layer.name,
            inputs=inputs,
            outputs=outputs,
            pixels=layer.pixels,
            group_in=group,
            planes=layer.x.bits,
            act_signed=layer.x.signed and not layer.x.bipolar,
            act_bipolar=layer.x.bipolar,
            w_planes=layer.w_bits,
            w_bipolar=layer.w_bipolar,
            folding=how.folding,
            acc_width=acc_width(layer.acc),
            out_bits=thresholds.bits if thresholds else 0,
            out_signed=bool(thresholds and thresholds.signed and not thresholds.bipolar),
            tpe=how.tpe,
        )
    )
    return tuple(stages)


def pool_stages(layer: PoolLayer, group: int) -> tuple[Stage, ...]:
    """Line buffer and running maximum."""
    window = _window(f"{layer.name}_window", layer.x, group, layer.pool)
    signed = layer.x.signed and not layer.x.bipolar
    pool = Pool(
        name=layer.name,
        group=group,
        beats=window.beats,
        planes=window.planes,
        signed=signed,
        positions=window.kernel[0] * window.kernel[1],
        pixels=window.out_height * window.out_width,
    )
    return window, pool


def _window(name: str, x: IntType, group: int, op: object) -> Window:
    from bitfold.ir.ops import Conv, MaxPool

    assert isinstance(op, Conv | MaxPool)
    return Window(
        name=name,
        group=group,
        beats=x.shape[0] // group * x.bits,
        planes=x.bits,
        height=x.shape[1],
        width=x.shape[2],
        kernel=op.kernel,
        stride=op.stride,
        pads=op.pads,
        pad_sign=isinstance(op, MaxPool) and x.signed and not x.bipolar,
    )


def build_stages(
    graph: Graph, layers: tuple[Layer, ...], foldings: dict[str, LayerFolding]
) -> tuple[Stage, ...]:
    """The whole chain, input to output."""
    first = input_stage(graph)
    stages: list[Stage] = [first]
    group = first.group
    for layer in layers:
        if isinstance(layer, PoolLayer):
            stages += pool_stages(layer, group)
        else:
            how = foldings[layer.name]
            stages += linear_stages(layer, group, how)
            group = how.tpe
    return (*stages, *output_stages(layers, group))


def output_stages(layers: tuple[Layer, ...], group: int) -> tuple[Stage, ...]:
    """How integers leave behind the last layer, whose stream has `group` channels a beat.

    Accumulators leave as they are; codes are planes, which are gathered to integers.
    """
    linear = next(layer for layer in reversed(layers) if isinstance(layer, LinearLayer))
    outputs = linear.matrix.shape[0]
    codes = linear.thresholds
    if codes is None:
        width = acc_width(linear.acc)
        return (AxisOut(name="output", group=group, width=width, outputs=outputs * linear.pixels),)
    last = layers[-1]
    pixels = prod(last.out.shape[1:]) if isinstance(last, PoolLayer) else linear.pixels
    gather = Gather(
        name="gather",
        group=group,
        planes=codes.bits,
        words=outputs // group,
        bipolar=codes.bipolar,
        pixels=pixels,
    )
    signed = codes.signed or codes.bipolar
    out = AxisOut(
        name="output", group=group, width=gather.width, outputs=outputs * pixels, signed=signed
    )
    return gather, out
