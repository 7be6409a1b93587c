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
from typing import final

from bitfold.cost.units import Mvtu, Vvau


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
