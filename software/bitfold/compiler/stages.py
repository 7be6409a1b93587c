"""Layers and their foldings to the stages that the hardware is made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import final

import numpy as np

from bitfold.compiler.layers import (
    ChannelLayer,
    ConcatLayer,
    Layer,
    LinearLayer,
    MoveLayer,
    PoolLayer,
    Summing,
    acc_width,
)
from bitfold.cost import Folding
from bitfold.cost.shape import divisors
from bitfold.cost.stages import (
    AxisIn,
    AxisOut,
    Fork,
    Gather,
    Join,
    Pad,
    Pool,
    Stage,
    Upscale,
    Window,
)
from bitfold.cost.streams import branch_name
from bitfold.cost.units import Mvtu, StageModes, Vvau
from bitfold.ir import Graph, IntType
from bitfold.ir.ops import Conv, DepthToSpace, MaxPool, SumPool, Upsample, ZeroPad

MAX_INPUT_GROUP = 4  # bytes of an input beat: one 32-bit AXI word


@final
@dataclass(frozen=True, kw_only=True)
class LayerFolding:
    """A layer's folding and how many comparators its thresholds share.

    folding: of a matrix product; None where channels stand by themselves: there the group of the
    stream that is read is the folding.
    blocks: of a convolution in groups: within a block of them zeros are multiplied, between blocks
    none are.
    """

    folding: Folding | None
    tpe: int
    blocks: int = 1


def input_groups(graph: Graph) -> tuple[int, ...]:
    """Channels that may enter together, most first: what fits into a word of AXI4-Stream."""
    channels = graph.input_type.channels
    return tuple(d for d in reversed(divisors(channels)) if d <= MAX_INPUT_GROUP)


def input_stage(graph: Graph, group: int) -> AxisIn:
    """How integers enter: `group` channels of a pixel in a beat."""
    shape = graph.input_type.shape
    channels, pixels = (shape[0], shape[1] * shape[2]) if len(shape) == 3 else (shape[0], 1)
    return AxisIn(
        name="input",
        group=group,
        planes=graph.input_type.bits,
        beats=pixels * (channels // group),
    )


def layer_stages(
    layer: Layer, group: int, how: LayerFolding | None, reads: tuple[str, ...]
) -> tuple[Stage, ...]:
    """The stages of a layer that reads streams of `group` channels a beat."""
    match layer:
        case LinearLayer():
            assert how is not None
            return _linear(layer, group, how, reads)
        case ChannelLayer():
            assert how is not None
            return _channel(layer, group, how.tpe, reads)
        case PoolLayer():
            return _pool(layer, group, reads)
        case ConcatLayer():
            return (_join(layer.name, layer.parts, group, reads),)
        case MoveLayer():
            return (_move(layer, group, reads),)


def _codes(layer: Summing) -> tuple[int, bool]:
    """Bits and sign of the codes; 0 where accumulators leave the network."""
    thresholds = layer.thresholds
    if thresholds is None:
        return acc_width(layer.acc) if layer.raw else 0, False
    return thresholds.bits, thresholds.signed and not thresholds.bipolar


def _modes(layer: Summing) -> StageModes | None:
    if layer.modes is None:
        return None
    modes = layer.modes
    return StageModes(kept=modes.kept, flips=modes.flips is not None, own=modes.own)


def _one_table(layer: Summing) -> bool:
    """Whether all channels have the same thresholds, or the same words of dividers."""
    if layer.modes is not None or layer.thresholds is None:
        return False
    if layer.division is not None:
        lines = np.stack([layer.division.slopes, layer.division.offsets], axis=1)
        return bool((lines == lines[0]).all())
    thresholds = layer.thresholds.thresholds
    return bool((thresholds == thresholds[0]).all())


def _threshold_range(layer: Summing) -> tuple[int, int] | None:
    """Least and greatest threshold that a memory holds, of all modes; None without thresholds."""
    if layer.thresholds is None or layer.division is not None:
        return None
    tables = layer.modes.thresholds if layer.modes is not None else None
    limit = 1 << (acc_width(layer.acc) - 1)
    kept = np.clip(np.stack(tables or (layer.thresholds.thresholds,)), -limit, limit)
    return int(kept.min()), int(kept.max())


def _linear(
    layer: LinearLayer, group: int, how: LayerFolding, reads: tuple[str, ...]
) -> tuple[Stage, ...]:
    """Line buffer (for a convolution) and matrix-vector-threshold unit."""
    stages: list[Stage] = []
    if layer.conv is not None:
        stages.append(_window(layer.name, layer.x, group, layer.conv, reads))
        reads = (stages[0].name,)
    outputs, inputs = layer.matrix.shape
    out_bits, out_signed = _codes(layer)
    assert how.folding is not None
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
            out_bits=out_bits,
            out_signed=out_signed,
            tpe=how.tpe,
            raw=layer.raw,
            reads=reads,
            modes=_modes(layer),
            one_table=_one_table(layer),
            threshold_range=_threshold_range(layer),
            divider=layer.division.unit if layer.division else None,
            groups=layer.groups,
            blocks=how.blocks,
            runs=prod(layer.conv.kernel) if layer.conv is not None and how.blocks > 1 else 1,
        )
    )
    return tuple(stages)


def _channel(
    layer: ChannelLayer, group: int, tpe: int, reads: tuple[str, ...]
) -> tuple[Stage, ...]:
    """Line buffer or join where there is one, and vector-vector accumulate unit."""
    stages: list[Stage] = []
    if layer.window is not None:
        stages.append(_window(layer.name, layer.x, group, layer.window, reads))
    elif len(reads) > 1:
        stages.append(_join(f"{layer.name}_join", (layer.x,) * len(reads), group, reads))
    if stages:
        reads = (stages[0].name,)
    kind = 0 if layer.weights is None else 1 if layer.weights.shape[1] == 1 else 2
    out_bits, out_signed = _codes(layer)
    stages.append(
        Vvau(
            name=layer.name,
            group=group,
            groups=layer.x.channels // group,
            positions=layer.positions,
            pixels=1 if layer.whole else layer.pixels,
            planes=layer.x.bits,
            act_signed=layer.x.signed,
            w_bits=layer.w_bits,
            w_kind=kind,
            acc_width=acc_width(layer.acc),
            out_bits=out_bits,
            out_signed=out_signed,
            tpe=tpe,
            raw=layer.raw,
            reads=reads,
            modes=_modes(layer),
            one_table=_one_table(layer),
            threshold_range=_threshold_range(layer),
            divider=layer.division.unit if layer.division else None,
        )
    )
    return tuple(stages)


def _pool(layer: PoolLayer, group: int, reads: tuple[str, ...]) -> tuple[Stage, ...]:
    """Line buffer and running maximum."""
    window = _window(layer.name, layer.x, group, layer.pool, reads)
    signed = layer.x.signed and not layer.x.bipolar
    pool = Pool(
        name=layer.name,
        group=group,
        beats=window.beats,
        planes=window.planes,
        signed=signed,
        positions=window.kernel[0] * window.kernel[1],
        pixels=window.out_height * window.out_width,
        reads=(window.name,),
    )
    return window, pool


def _move(layer: MoveLayer, group: int, reads: tuple[str, ...]) -> Pad | Upscale:
    """A map with other pixels; depth to space in mode CRD has one channel a beat."""
    _, height, width = layer.x.shape
    beats, op = pixel_beats(layer.x, group), layer.op
    if isinstance(op, ZeroPad):
        return Pad(
            name=layer.name,
            group=group,
            beats=beats,
            height=height,
            width=width,
            pads=op.pads,
            reads=reads,
        )
    split = isinstance(op, DepthToSpace)
    run = beats
    if isinstance(op, DepthToSpace):
        run = layer.x.bits if op.mode == "CRD" else beats // op.block**2
    return Upscale(
        name=layer.name,
        group=group,
        beats=beats,
        height=height,
        width=width,
        factor=op.factor if isinstance(op, Upsample) else (op.block, op.block),
        split=split,
        run=run,
        reads=reads,
    )


def _window(
    name: str, x: IntType, group: int, op: Conv | MaxPool | SumPool, reads: tuple[str, ...]
) -> Window:
    return Window(
        name=f"{name}_window",
        group=group,
        beats=pixel_beats(x, group),
        planes=x.bits,
        height=x.shape[1],
        width=x.shape[2],
        kernel=op.kernel,
        stride=op.stride,
        pads=op.pads,
        dilation=op.dilation if isinstance(op, Conv) else (1, 1),
        pad_sign=isinstance(op, MaxPool) and x.signed and not x.bipolar,
        reads=reads,
    )


def _join(name: str, parts: tuple[IntType, ...], group: int, reads: tuple[str, ...]) -> Join:
    beats = tuple(pixel_beats(part, group) for part in parts)
    return Join(name=name, width=group, beats=beats, pixels=prod(parts[0].shape[1:]), reads=reads)


def pixel_beats(x: IntType, group: int) -> int:
    """Plane beats of a pixel."""
    return x.channels // group * x.bits


def fork_stage(name: str, x: IntType, group: int, branches: int, reads: tuple[str, ...]) -> Fork:
    """A value for several readers; how much each branch holds is found later (cost.depths)."""
    return Fork(
        name=f"{name}_fork",
        width=group,
        beats=pixel_beats(x, group),
        pixels=prod(x.shape[1:]),
        vectors=(2,) * branches,
        reads=reads,
    )


def build_stages(
    graph: Graph,
    layers: tuple[Layer, ...],
    foldings: Mapping[str, LayerFolding],
    group: int | None = None,
) -> tuple[Stage, ...]:
    """All stages, input to output; those that read come after those that send.

    group: channels that enter together; as many as can when None.
    """
    first = input_stage(graph, group or input_groups(graph)[0])
    stages: list[Stage] = [first]
    groups = {"input": first.group}
    types = {"input": graph.input_type} | {layer.name: layer.out for layer in layers}
    readers = Counter(name for layer in layers for name in layer.reads if name)
    waiting: dict[str, list[str]] = {"input": [first.name]}  # streams that nobody reads yet

    def part(name: str) -> None:
        if readers[name] > 1:
            fork = fork_stage(name, types[name], groups[name], readers[name], (name,))
            stages.append(fork)
            waiting[name] = [branch_name(fork.name, k) for k in range(readers[name])]

    part("input")
    for layer in layers:
        taken = next(groups[name] for name in layer.reads if name)
        reads = tuple(waiting[name].pop(0) if name else "" for name in layer.reads)
        how = foldings.get(layer.name)
        stages += layer_stages(layer, taken, how, reads)
        groups[layer.name] = taken if how is None else how.tpe
        waiting[layer.name] = [layer.name]
        part(layer.name)
    return (*stages, *output_stages(layers[-1], groups[layers[-1].name]))


def output_stages(last: Layer, group: int) -> tuple[Stage, ...]:
    """How integers leave behind the last layer, whose stream has `group` channels a beat.

    Accumulators leave as they are; codes are planes, which are gathered to integers.
    """
    channels, pixels = last.out.channels, prod(last.out.shape[1:])
    outputs = channels * pixels
    if isinstance(last, LinearLayer | ChannelLayer) and last.thresholds is None:
        width = acc_width(last.acc)
        return (
            AxisOut(name="output", group=group, width=width, outputs=outputs, reads=(last.name,)),
        )
    codes = last.out
    gather = Gather(
        name="gather",
        group=group,
        planes=codes.bits,
        words=channels // group,
        bipolar=codes.bipolar,
        pixels=pixels,
        reads=(last.name,),
    )
    out = AxisOut(
        name="output",
        group=group,
        width=gather.width,
        outputs=outputs,
        signed=codes.signed,
        reads=(gather.name,),
    )
    return gather, out
