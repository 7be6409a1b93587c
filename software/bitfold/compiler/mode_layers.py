"""What a layer does in one precision mode, and that the mode is a truncation of what is stored.

A mode's weights are the leading planes of the stored ones, floor(w / 2^k). Its codes have fewer
bits; in hardware they keep the planes of the stored codes, with zeros in the planes that the mode
lacks. So a value of the hardware is a value of the mode's graph times 2^shift.

Where the host may choose the planes of each layer anew (`free`), a layer must not depend on what
the others leave out: its codes keep all their planes, and a layer that reads fewer leaves the rest
out itself.
"""

from dataclasses import astuple, dataclass, replace
from typing import final

import numpy as np

from bitfold.compiler.layers import ChannelLayer, Layer, LinearLayer, MoveLayer, PoolLayer, Summing
from bitfold.errors import UnsupportedOp
from bitfold.ir import Ints, IntType
from bitfold.ir.ops import Conv, MaxPool, SumPool, Threshold
from bitfold.ir.ops.threshold import Flags

BEYOND = 1 << 62  # a threshold that nothing reaches


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Lowered:
    """A mode: its name in messages, the type of its input integers, its layers."""

    name: str
    input: IntType
    layers: tuple[Layer, ...]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """What a layer does in one mode; acc is the range of the hardware's accumulators in it.

    own: where planes are free, the layer whose planes decide that: itself, or the one whose
    accumulators it reads; "" where it is the same in all modes.
    """

    kept: tuple[int, int]
    acc: tuple[int, int]
    thresholds: Ints | None
    flips: Flags | None
    bias: Ints | None
    own: str = ""


@final
class ModeWalk:
    """One mode beside the stored network, layer by layer."""

    def __init__(self, stored: Lowered, mode: Lowered, free: bool = False) -> None:
        """free: `mode` is the stored network with planes masked and nothing else changed."""
        self.stored, self.mode, self.free = stored, mode, free
        self.shifts: dict[str, int] = {}  # value -> the hardware's is the mode's times 2^this
        self.names = {"input": "input", "": ""}  # value of the mode -> of the stored network
        self.rough: set[str] = set()  # values whose planes below the shift are no zeros
        self.sums: set[str] = set()  # values that are accumulators, with all their planes
        self.owners: dict[str, str] = {}  # free: such a value -> the layer that decides its planes
        self.less_sums: dict[str, int] = {}  # free: such a value is that stored over 2^this
        ours, theirs = stored.input, mode.input
        if ours.shape != theirs.shape or ours.signed != theirs.signed:
            raise self.refused("the input", f"it is {theirs}, stored {ours}")
        self.shifts["input"] = self.less("the input", "bits", ours.bits, theirs.bits)
        if self.shifts["input"]:
            self.rough.add("input")
        if len(mode.layers) != len(stored.layers):
            raise self.refused(
                "the network", f"it has {len(mode.layers)} layers, stored {len(stored.layers)}"
            )

    def refused(self, subject: str, reason: str) -> UnsupportedOp:
        """The one message of this module."""
        return UnsupportedOp(
            f"mode {self.mode.name}: {subject} is no truncation of {self.stored.name}: {reason}. "
            "Modes are leading bit-planes of one network; export them together, as DQMQ does"
        )

    def less(self, subject: str, what: str, stored: int, mode: int) -> int:
        """By how many bits a mode has less."""
        if mode > stored:
            raise self.refused(subject, f"it asks for {mode} {what}, {stored} are built")
        return stored - mode

    def part(self, index: int) -> Part | None:
        """The mode's part of a layer; also notes what is known of the layer's value."""
        layer, other = self.stored.layers[index], self.mode.layers[index]
        subject = f"layer {layer.name!r}"
        reads = tuple(self.names.get(name, name) for name in other.reads)
        if type(other) is not type(layer) or reads != layer.reads or _form(other) != _form(layer):
            raise self.refused(subject, "another operation stands in its place")
        self.names[other.name] = layer.name
        shifts = {self.shifts[name] for name in layer.reads if name}
        if len(shifts) != 1:
            raise self.refused(subject, "the values that it reads lose different numbers of planes")
        (shift,) = shifts
        if isinstance(layer, LinearLayer | ChannelLayer):
            accumulators = layer.raw
        else:
            accumulators = not self.sums.isdisjoint(layer.reads)
        if accumulators:
            self.sums.add(layer.name)
        rough = not self.free and not self.rough.isdisjoint(layer.reads)
        if isinstance(layer, LinearLayer):
            assert isinstance(other, LinearLayer)
            return self.linear(subject, layer, other, shift)
        if isinstance(layer, ChannelLayer):
            assert isinstance(other, ChannelLayer)
            if rough:
                raise self.refused(
                    subject,
                    "it sums input integers of fewer bits, and a sum reads all planes; quantise "
                    "the input alike in all modes",
                )
            return self.channel(subject, layer, other, shift)
        if rough:
            self.rough.add(layer.name)
        if self.free and layer.reads[0] in self.owners:
            self.owners[layer.name] = self.owners[layer.reads[0]]
            self.less_sums[layer.name] = self.less_sums[layer.reads[0]]
        self.shifts[layer.name] = shift
        return None

    def linear(self, subject: str, layer: LinearLayer, other: LinearLayer, shift: int) -> Part:
        """Planes left out shift the accumulators: they are the mode's own."""
        self.check_reads(subject, layer, other, shift)
        if layer.w_bipolar != other.w_bipolar:
            raise self.refused(subject, "its weights are bipolar in one of them alone")
        skip = self.less(subject, "weight planes", layer.w_bits, other.w_bits)
        if not np.array_equal(layer.matrix >> skip, other.matrix):
            raise self.refused(subject, f"its weights are not the stored ones less {skip} planes")
        kept = other.w_bits, layer.x.bits - shift
        return self.ending(subject, layer, other, kept, 0, own=layer.name, less=skip + shift)

    def channel(self, subject: str, layer: ChannelLayer, other: ChannelLayer, shift: int) -> Part:
        """All planes are summed, those below as zeros: accumulators are the mode's, shifted."""
        self.check_reads(subject, layer, other, shift)
        skip = 0
        if layer.weights is not None:
            assert other.weights is not None
            if layer.w_planes:
                skip = self.less(subject, "weight planes", layer.w_planes, other.w_planes)
            if not np.array_equal(layer.weights >> skip, other.weights):
                raise self.refused(subject, "its weights are not the leading planes of the stored")
        kept = layer.w_bits - skip, layer.x.bits - shift
        own, less = layer.name, 0
        if self.free and not layer.w_planes:
            # What it reads has all its planes; of accumulators, those of the layer that made them.
            kept = layer.w_bits, layer.x.bits
            own = self.owners.get(layer.reads[0], "")
            less = self.less_sums.get(layer.reads[0], 0)
        return self.ending(subject, layer, other, kept, shift + skip, own=own, less=less)

    def check_reads(self, subject: str, layer: Summing, other: Summing, shift: int) -> None:
        """The type that a layer reads is that of the values, less the planes they lose.

        Accumulators may be narrower in a mode: their planes are all there, the first are signs.
        """
        ours, theirs = layer.x, other.x
        same = (ours.signed, ours.bipolar) == (theirs.signed, theirs.bipolar)
        bits = theirs.bits + shift
        narrower = bits < ours.bits and not self.sums.isdisjoint(layer.reads)
        if not same or not (bits == ours.bits or narrower):
            raise self.refused(subject, f"it reads {theirs}, stored {ours} less {shift} planes")

    def ending(
        self,
        subject: str,
        layer: Summing,
        other: Summing,
        kept: tuple[int, int],
        shift: int,
        *,
        own: str,
        less: int,
    ) -> Part:
        """Thresholds or bias for accumulators that are the mode's times 2^shift, and where planes
        are free those stored over 2^less, by the planes of layer `own`."""
        if not self.free:
            own = ""
        elif layer.raw and own:
            self.owners[layer.name], self.less_sums[layer.name] = own, less
        ours, theirs = layer.thresholds, other.thresholds
        acc = other.acc.min << shift, other.acc.max << shift
        if ours is None or theirs is None:
            if (ours is None) != (theirs is None) or layer.raw != other.raw:
                raise self.refused(subject, "one of them is quantised behind it, the other is not")
            self.shifts[layer.name] = shift
            bias = None if layer.raw else _bias(other) << shift
            return Part(kept=kept, acc=acc, thresholds=None, flips=None, bias=bias, own=own)
        if (ours.signed, ours.bipolar) != (theirs.signed, theirs.bipolar):
            raise self.refused(subject, "its codes have a sign in one of them alone")
        lost = self.less(subject, "bits of its codes", ours.bits, theirs.bits)
        self.shifts[layer.name] = lost
        if self.free:
            table, flips = -(-ours.thresholds >> less), ours.flips
        else:
            table, flips = stored_thresholds(theirs, lost, shift), theirs.flips
        return Part(kept=kept, acc=acc, thresholds=table, flips=flips, bias=None, own=own)


def _bias(layer: Summing) -> Ints:
    channels = layer.out.channels
    return np.zeros(channels, np.int64) if layer.bias is None else layer.bias


def _form(layer: Layer) -> tuple[object, ...]:
    """What must be the same in all modes, but for reads, weights, bits and thresholds."""
    form: tuple[object, ...] = (layer.out.shape,)
    if isinstance(layer, LinearLayer):
        return *form, layer.matrix.shape, _window(layer.conv)
    if isinstance(layer, ChannelLayer):
        weights = layer.weights
        shape = None if weights is None else weights.shape
        return *form, layer.whole, _window(layer.window), shape
    if isinstance(layer, PoolLayer):
        return *form, _window(layer.pool)
    if isinstance(layer, MoveLayer):
        return *form, type(layer.op), astuple(replace(layer.op, x=""))
    return form


def _window(op: Conv | SumPool | MaxPool | None) -> tuple[object, ...] | None:
    if op is None:
        return None
    dilation = op.dilation if isinstance(op, Conv) else None
    return op.kernel, op.stride, op.pads, dilation


def stored_thresholds(op: Threshold, lost: int, shift: int) -> Ints:
    """Thresholds (C, 2^(bits+lost) - 1) whose codes are those of `op` times 2^lost, for
    accumulators that are those of `op` times 2^shift.

    The codes between are never met. Of channels that decrease the hardware inverts the whole code,
    so their tables begin with 2^lost - 1 thresholds that are always reached.
    """
    moved = op.thresholds << shift
    if not lost:
        return moved
    levels = np.arange(1, 1 << op.bits + lost)
    rising = -(-levels >> lost)  # ceil
    falling = levels >> lost
    ends = np.full((len(moved), 1), BEYOND)
    wide = np.concatenate([-ends, moved, ends], axis=1)
    return np.where(op.flips[:, None], wide[:, falling], wide[:, rising])
