"""The stages that an accelerator is a chain of, as plain numbers: what RTL instances are made from,
and what the LUT, memory and cycle formulas read.

A *plane stream* of group G carries one bit-plane of G channels a beat; order: pixel, channel group,
plane, most significant first. A *vector* is all beats of a pixel, or of a whole frame in front of a
dense layer.

A stage's `reads` names the streams it takes, in order of its ports: a stream has the name of its
stage, and behind a fork that name and the number of the branch. Without names it is that of the
stage before.
"""

from dataclasses import dataclass, replace
from math import ceil
from typing import final

from bitfold.cost.shape import Folding


@final
@dataclass(frozen=True, kw_only=True)
class StageModes:
    """Run-time precision of a unit: what it does in each mode that the network may be in.

    kept:  planes of the weights and of the activations that count, the most significant ones.
    flips: channels may decrease; thresholds have a bit more that says so.
    ring:  frames whose modes are kept.
    """

    kept: tuple[tuple[int, int], ...]
    flips: bool = False
    ring: int = 2


@final
@dataclass(frozen=True, kw_only=True)
class AxisIn:
    """AXI4-Stream bytes to planes: `group` values a beat, `beats` AXI beats a frame."""

    name: str
    group: int
    planes: int
    beats: int

    @property
    def out_beats(self) -> int:
        """Plane beats of a frame."""
        return self.beats * self.planes


@final
@dataclass(frozen=True, kw_only=True)
class Window:
    """Line buffer: a map of height x width vectors of `beats` beats to windows in im2col order."""

    name: str
    group: int
    beats: int  # of a pixel: channels / group * planes
    planes: int
    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    dilation: tuple[int, int] = (1, 1)
    pad_sign: bool = False  # pad with the least value of a signed type
    reads: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns from the kernel's first to its last."""
        (height, width), (down, across) = self.kernel, self.dilation
        return (height - 1) * down + 1, (width - 1) * across + 1

    @property
    def out_height(self) -> int:
        """Windows down."""
        return (self.height + self.pads[0] + self.pads[2] - self.span[0]) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        """Windows across."""
        return (self.width + self.pads[1] + self.pads[3] - self.span[1]) // self.stride[1] + 1

    @property
    def window_beats(self) -> int:
        """Beats of one window."""
        return self.kernel[0] * self.kernel[1] * self.beats

    @property
    def rows(self) -> int:
        """Rows of the map that the buffer holds."""
        return self.span[0] + self.stride[0]

    @property
    def memory_bits(self) -> int:
        """Size of the line buffer."""
        return self.rows * self.width * self.beats * self.group


@final
@dataclass(frozen=True, kw_only=True)
class Mvtu:
    """Matrix-vector unit with thresholds, or with a bias when it is the last layer."""

    name: str
    inputs: int  # MW
    outputs: int  # MH
    pixels: int  # vectors of a frame
    group_in: int
    planes: int  # of the activations it reads
    act_signed: bool
    act_bipolar: bool
    w_planes: int
    w_bipolar: bool
    folding: Folding
    acc_width: int
    out_bits: int  # 0: the accumulators themselves leave (last layer)
    out_signed: bool
    tpe: int  # comparators; divides PE
    raw: bool = False  # the planes are those of the accumulators: out_bits = acc_width
    reads: tuple[str, ...] = ()
    modes: StageModes | None = None
    one_table: bool = False  # of thresholds, for all channels

    @property
    def final(self) -> bool:
        """Integers leave, not planes."""
        return self.out_bits == 0

    @property
    def weight_planes(self) -> int:
        """Bits of a weight."""
        return self.w_planes

    @property
    def lanes(self) -> int:
        """Binary multiplications in one cycle."""
        return self.folding.lanes

    @property
    def nf(self) -> int:
        """Folds of the outputs."""
        return self.outputs // self.folding.pe

    @property
    def sf(self) -> int:
        """Folds of the inputs."""
        return self.inputs // self.folding.simd

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """Planes of weights and activations in each mode; all where there are no modes."""
        return self.modes.kept if self.modes else ((self.w_planes, self.planes),)

    @property
    def mode_steps(self) -> tuple[int, ...]:
        """Pairs of plane groups that are multiplied, in each mode."""
        fold = self.folding
        return tuple(ceil(a / fold.ap) * ceil(w / fold.wp) for w, a in self.kept)

    @property
    def steps(self) -> int:
        """Pairs of plane groups; with modes those of the slowest."""
        return max(self.mode_steps)

    @property
    def threshold_cycles(self) -> int:
        """Cycles in which the thresholds of a fold are searched."""
        return self.out_bits * (self.folding.pe // self.tpe)

    @property
    def fold_cycles(self) -> int:
        """Cycles of one fold of the outputs."""
        return max(self.sf * self.steps, self.threshold_cycles)

    @property
    def vector_cycles(self) -> int:
        """Cycles of one vector."""
        return self.nf * self.fold_cycles

    @property
    def in_beats(self) -> int:
        """Plane beats of an input vector."""
        return self.inputs // self.group_in * self.planes

    @property
    def out_beats(self) -> int:
        """Beats of an output vector."""
        return self.nf if self.final else self.outputs // self.tpe * self.out_bits

    @property
    def bitops(self) -> int:
        """Binary multiplications of a frame that the product needs, in the slowest mode."""
        most = max(w * a for w, a in self.kept)
        return self.inputs * self.outputs * self.pixels * most

    @property
    def weight_bits(self) -> int:
        """Size of the weight memory."""
        return self.inputs * self.outputs * self.w_planes


@final
@dataclass(frozen=True, kw_only=True)
class Vvau:
    """Vector-vector accumulate unit: every channel sums its own inputs over a vector's positions.

    Depthwise convolution, sum pooling, and, behind a join, the sum of several streams.
    """

    name: str
    group: int
    groups: int  # channels / group
    positions: int  # of a vector
    pixels: int  # vectors of a frame
    planes: int
    act_signed: bool
    w_bits: int  # of a weight, two's complement
    w_kind: int  # 0: all are 1; 1: one a position; 2: one a position and channel
    acc_width: int
    out_bits: int  # 0: the accumulators themselves leave (last layer)
    out_signed: bool
    tpe: int  # comparators; divides group
    raw: bool = False  # as in Mvtu
    reads: tuple[str, ...] = ()
    modes: StageModes | None = None  # thresholds and biases; no mode is faster
    one_table: bool = False  # as in Mvtu

    @property
    def final(self) -> bool:
        """Integers leave, not planes."""
        return self.out_bits == 0

    @property
    def channels(self) -> int:
        """Of input and output."""
        return self.group * self.groups

    @property
    def weight_planes(self) -> int:
        """Bits of a weight; 0 where there are none."""
        return self.w_bits if self.w_kind else 0

    @property
    def lanes(self) -> int:
        """Binary multiplications in one cycle."""
        return self.group * max(1, self.weight_planes)

    @property
    def nf(self) -> int:
        """Folds of the outputs."""
        return self.groups

    @property
    def search_cycles(self) -> int:
        """Cycles in which the results of a channel group leave."""
        return 1 if self.final else self.out_bits * (self.group // self.tpe)

    @property
    def in_beats(self) -> int:
        """Plane beats of an input vector."""
        return self.positions * self.groups * self.planes

    @property
    def out_beats(self) -> int:
        """Beats of an output vector."""
        return self.groups * self.search_cycles

    @property
    def vector_cycles(self) -> int:
        """Cycles of one vector."""
        return max(self.in_beats, self.out_beats)

    @property
    def weight_words(self) -> int:
        """Words of the weight memory."""
        return (0, self.positions, self.positions * self.groups)[self.w_kind]

    @property
    def bitops(self) -> int:
        """Binary multiplications of a frame; those of a depthwise convolution."""
        if self.w_kind < 2:
            return 0
        return self.positions * self.channels * self.pixels * self.planes * self.w_bits

    @property
    def weight_bits(self) -> int:
        """Size of the weights; those of a depthwise convolution."""
        return self.positions * self.channels * self.w_bits if self.w_kind == 2 else 0


@final
@dataclass(frozen=True, kw_only=True)
class Fork:
    """One stream to several, each with a FIFO of whole vectors."""

    name: str
    width: int  # bits of a beat
    beats: int  # of a vector
    pixels: int  # vectors of a frame
    vectors: tuple[int, ...]  # that each branch holds, >= 2
    reads: tuple[str, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Join:
    """Several streams to one: a vector of each in turn; a stream "" is constant zeros."""

    name: str
    width: int  # bits of a beat
    beats: tuple[int, ...]  # of each branch's vector
    pixels: int  # vectors of a frame
    reads: tuple[str, ...]


@final
@dataclass(frozen=True, kw_only=True)
class Pool:
    """Maximum over the `positions` pixels of each window."""

    name: str
    group: int
    beats: int  # of a pixel
    planes: int
    signed: bool
    positions: int
    pixels: int  # windows of a frame
    reads: tuple[str, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Pad:
    """Zeros around a map of height x width pixels."""

    name: str
    group: int
    beats: int  # of a pixel
    height: int
    width: int
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    reads: tuple[str, ...] = ()

    @property
    def out_height(self) -> int:
        """Rows of the padded map."""
        return self.height + self.pads[0] + self.pads[2]

    @property
    def out_width(self) -> int:
        """Columns of the padded map."""
        return self.width + self.pads[1] + self.pads[3]


@final
@dataclass(frozen=True, kw_only=True)
class Upscale:
    """A block of factor[0] x factor[1] pixels of each: repeated, or with `split` parts of it.

    run: beats of a part that lie side by side in the pixel (bf_upscale).
    """

    name: str
    group: int
    beats: int  # of a pixel that enters
    height: int  # of the map that enters
    width: int
    factor: tuple[int, int]
    split: bool
    run: int
    reads: tuple[str, ...] = ()

    @property
    def block(self) -> int:
        """Pixels made of one."""
        return self.factor[0] * self.factor[1]

    @property
    def out_beats(self) -> int:
        """Beats of a pixel that leaves."""
        return self.beats // self.block if self.split else self.beats


@final
@dataclass(frozen=True, kw_only=True)
class Gather:
    """Planes to words of `group` integers: behind the quantiser that ends a network."""

    name: str
    group: int
    planes: int
    words: int  # of a vector: channels / group
    bipolar: bool
    pixels: int  # vectors of a frame
    reads: tuple[str, ...] = ()

    @property
    def beats(self) -> int:
        """Plane beats of a vector."""
        return self.words * self.planes

    @property
    def width(self) -> int:
        """Bits of an integer: -1 and +1 take two."""
        return 2 if self.bipolar else self.planes


@final
@dataclass(frozen=True, kw_only=True)
class AxisOut:
    """Integers, `group` at a time, to an AXI4-Stream of one integer a beat."""

    name: str
    group: int
    width: int
    outputs: int
    signed: bool = True
    reads: tuple[str, ...] = ()


def at_mode(stage: "Stage", mode: int) -> "Stage":
    """The stage as it is while the network stays in `mode`, for formulas of its rate."""
    if isinstance(stage, Mvtu | Vvau) and stage.modes is not None:
        return replace(stage, modes=replace(stage.modes, kept=(stage.modes.kept[mode],)))
    return stage


def mode_count(stages: "tuple[Stage, ...]") -> int:
    """Modes of an accelerator; 1 where its precision is fixed."""
    units = (s.modes for s in stages if isinstance(s, Mvtu | Vvau) and s.modes)
    return max((len(modes.kept) for modes in units), default=1)


Stage = AxisIn | Window | Mvtu | Vvau | Pool | Pad | Upscale | Fork | Join | Gather | AxisOut
