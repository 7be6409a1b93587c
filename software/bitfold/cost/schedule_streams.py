"""When bf_maxpool, bf_gather, bf_axis_in, bf_axis_out, bf_argmax take and give, to the cycle.

Read `schedule_window` first: it says what a time is and how a chain is evaluated. `accepted` and
`taken` are the known times of a module's input and output vectors; None means "not known yet", 0
that nothing holds the vector back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from bitfold.cost.stages import AxisIn, AxisOut, Gather, Pool


def _after(times: Sequence[int], index: int, cycles: int) -> int | None:
    """`cycles` after times[index]; 0 for a negative index: nobody to wait for."""
    if index < 0:
        return 0
    return times[index] + cycles if index < len(times) else None


@final
@dataclass(frozen=True)
class PoolSchedule:
    """Recurrence of bf_maxpool. In: windows; out: one pixel a window."""

    stage: Pool
    held: int = 2  # pixels that its output FIFO holds, OutVectors

    @property
    def in_beats(self) -> int:
        """Beats of a window."""
        return self.stage.positions * self.stage.beats

    @property
    def out_beats(self) -> int:
        """Beats of a pixel."""
        return self.stage.beats

    def credit(self, window: int, taken: Sequence[int]) -> int | None:
        """The last pixel of a window is pushed into the FIFO as it enters."""
        return _after(taken, window - self.held, 1)

    def offer(self, pixel: int, accepted: Sequence[int]) -> int | None:
        """The greatest bit of the last beat is in the FIFO a cycle later."""
        return _after(accepted, pixel, 1)


@final
@dataclass(frozen=True)
class GatherSchedule:
    """Recurrence of bf_gather. In: vectors of planes; out: words of `group` integers."""

    stage: Gather

    @property
    def in_beats(self) -> int:
        """Plane beats of a vector."""
        return self.stage.beats

    @property
    def out_beats(self) -> int:
        """A word."""
        return 1

    def credit(self, vector: int, taken: Sequence[int]) -> int | None:
        """Two are held: a third begins when the last word of the first has left."""
        return _after(taken, (vector - 1) * self.stage.words - 1, self.in_beats)

    def offer(self, word: int, accepted: Sequence[int]) -> int | None:
        """The vector is complete."""
        return _after(accepted, word // self.stage.words, 1)


@final
@dataclass(frozen=True)
class AxisInSchedule:
    """Recurrence of bf_axis_in. In: beats of one cycle; out: `planes` plane beats each."""

    stage: AxisIn

    @property
    def in_beats(self) -> int:
        """One AXI beat."""
        return 1

    @property
    def out_beats(self) -> int:
        """Planes of a value."""
        return self.stage.planes

    def credit(self, beat: int, taken: Sequence[int]) -> int | None:
        """Two are held: one in the shift register, one in front of it."""
        return _after(taken, beat - 2, 1)

    def offer(self, beat: int, accepted: Sequence[int]) -> int | None:
        """The first plane shows in the next cycle."""
        return _after(accepted, beat, self.out_beats)


@final
@dataclass(frozen=True)
class AxisOutSchedule:
    """Recurrence of bf_axis_out. In: words of `group` integers; out: single integers."""

    stage: AxisOut

    @property
    def in_beats(self) -> int:
        """Cycles of a word: the integers before it have to leave."""
        return self.stage.group

    @property
    def out_beats(self) -> int:
        """One AXI beat."""
        return 1

    def credit(self, word: int, taken: Sequence[int]) -> int | None:
        """The word before has left the shift register; its last two integers wait in the skid."""
        return _after(taken, word * self.stage.group - 3, 1)

    def offer(self, item: int, accepted: Sequence[int]) -> int | None:
        """Shift register and skid: two cycles."""
        word, place = divmod(item, self.stage.group)
        return _after(accepted, word, place + 2)


@final
@dataclass(frozen=True)
class ArgmaxSchedule:
    """Recurrence of bf_argmax. In: words of `group` integers; out: one place a frame."""

    stage: AxisOut

    @property
    def in_beats(self) -> int:
        """Cycles of a word: one integer a cycle is compared."""
        return self.stage.group

    @property
    def out_beats(self) -> int:
        """The place."""
        return 1

    @property
    def words(self) -> int:
        """Words of a frame."""
        return self.stage.outputs // self.stage.group

    def credit(self, word: int, taken: Sequence[int]) -> int | None:
        """The last integer of a frame waits until the place of the frame before is taken."""
        frame, place = divmod(word, self.words)
        return 0 if place else _after(taken, frame - 2, 0)

    def offer(self, frame: int, accepted: Sequence[int]) -> int | None:
        """All integers of the last word have been compared."""
        return _after(accepted, (frame + 1) * self.words - 1, self.stage.group + 1)
