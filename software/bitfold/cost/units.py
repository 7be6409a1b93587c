"""The units that multiply and sum, as plain numbers; see `stages`."""

from dataclasses import dataclass
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
    own:   where the host may choose the planes of each layer: the unit whose planes decide what
           this one does, itself or the one whose accumulators it reads. "": modes are fixed.
    """

    kept: tuple[tuple[int, int], ...]
    flips: bool = False
    ring: int = 2
    own: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class ModeControl:
    """What an accelerator has beside its stages where precision is chosen at run time: the ring of
    the frames' modes and the registers.

    group, beats: of the input stream, a frame. layers: the units with modes, name and `kept`.
    free: the host may choose the planes of each layer; then `layers` are those that it chooses for.
    """

    name: str
    group: int
    beats: int
    ring: int
    layers: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    free: bool = False

    @property
    def modes(self) -> int:
        """How many there are."""
        return len(self.layers[0][1])

    @property
    def mode_bits(self) -> int:
        """Of the number of a mode."""
        return (self.modes - 1).bit_length()


def usual_range(acc_width: int) -> tuple[int, int]:
    """Least and greatest threshold taken for granted where there are none yet: a quarter of what an
    accumulator of acc_width bits can be, for sums seldom reach what they could."""
    spread = 1 << max(acc_width - 3, 0)
    return -spread, spread - 1


# Of codes that dividers make; tables of fewer are small (scripts/measure_divide.py).
DIVIDED_BITS = 7


@final
@dataclass(frozen=True, kw_only=True)
class Divider:
    """Sizes of the dividers that take the place of a unit's comparators; see bf_divide.

    shift: bits behind an accumulator. width: bits of a trial. slope_bits: of a slope.
    half:  no code is in the lower half.
    """

    shift: int
    width: int
    slope_bits: int
    half: bool = False

    @classmethod
    def usual(cls, acc_bits: int, bits: int) -> "Divider":
        """What quantisers behind products mostly take, for sums of acc_bits, codes of `bits`."""
        shift = 13
        return cls(
            shift=shift, width=acc_bits + shift, slope_bits=max(1, acc_bits + shift - bits - 1)
        )


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
    one_table: bool = False  # of thresholds, or one word of dividers, for all channels
    threshold_range: tuple[int, int] | None = None  # least and greatest, of accumulators
    divider: Divider | None = None  # in place of thresholds
    groups: int = 1  # of the convolution
    blocks: int = 1  # of outputs that read channels of their own; divides groups
    runs: int = 1  # with blocks, positions at which each of them reads its channels
    bias: bool = True  # where integers leave: they have one added

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
        """Folds of the inputs that an output reads."""
        return self.inputs // self.blocks // self.folding.simd

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
        return self.inputs // self.groups * self.outputs * self.pixels * most

    @property
    def weight_bits(self) -> int:
        """Size of the weight memory."""
        return self.inputs // self.blocks * self.outputs * self.w_planes


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
    threshold_range: tuple[int, int] | None = None  # as in Mvtu
    divider: Divider | None = None

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
