"""When bf_pad and bf_upscale take and give their pixels, to the cycle.

Read `schedule_window` first: it says what a time is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from bitfold.cost.stages import Pad, Upscale


@final
@dataclass(frozen=True)
class PadSchedule:
    """Recurrence of bf_pad. In: pixels of the map; out: pixels of the padded one."""

    stage: Pad
    held: int = 2  # pixels in its FIFO

    @property
    def in_beats(self) -> int:
        """Beats of a pixel."""
        return self.stage.beats

    @property
    def out_beats(self) -> int:
        """The same."""
        return self.stage.beats

    @property
    def in_vectors(self) -> int:
        """Pixels of a map."""
        return self.stage.height * self.stage.width

    @property
    def out_vectors(self) -> int:
        """Pixels of a padded map."""
        return self.stage.out_height * self.stage.out_width

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Where each pixel of a map stands in the padded one."""
        s = self.stage
        return tuple(
            (s.pads[0] + y) * s.out_width + s.pads[1] + x
            for y in range(s.height)
            for x in range(s.width)
        )

    @cached_property
    def pixels(self) -> dict[int, int]:
        """The inverse: pixels by their places."""
        return {place: pixel for pixel, place in enumerate(self.places)}

    def credit(self, pixel: int, taken: Sequence[int]) -> int | None:
        """There is room once the pixel before the last has left."""
        if pixel < self.held:
            return 0
        frame, index = divmod(pixel - self.held, self.in_vectors)
        gate = frame * self.out_vectors + self.places[index]
        return taken[gate] + self.in_beats if gate < len(taken) else None

    def offer(self, pixel: int, accepted: Sequence[int]) -> int | None:
        """A beat in the cycle after it came; zeros once the frame's first pixel is there."""
        frame, place = divmod(pixel, self.out_vectors)
        inner = self.pixels.get(place)
        if inner is None and place > self.places[0]:
            return 0
        need = frame * self.in_vectors + (inner or 0)
        if need >= len(accepted):
            return None
        return accepted[need] + (self.out_beats if inner is None else 1)


@final
@dataclass(frozen=True)
class UpscaleSchedule:
    """Recurrence of bf_upscale. In: pixels; out: `stage.block` pixels for each, row by row."""

    stage: Upscale
    held: int = 2  # rows in its memory

    @property
    def in_beats(self) -> int:
        """Beats of a pixel that enters."""
        return self.stage.beats

    @property
    def out_beats(self) -> int:
        """Beats of a pixel that leaves."""
        return self.stage.out_beats

    def credit(self, pixel: int, taken: Sequence[int]) -> int | None:
        """A row enters when the one before the last has left for the last time."""
        row, column = divmod(pixel, self.stage.width)
        if column or row < self.held:
            return 0
        gate = (row - self.held + 1) * self.stage.width * self.stage.block - 1
        return taken[gate] + self.in_beats if gate < len(taken) else None

    def offer(self, pixel: int, accepted: Sequence[int]) -> int | None:
        """The first beat is read in the cycle after the whole pixel was written."""
        s = self.stage
        row, column = divmod(pixel, s.width * s.factor[1])
        need = row // s.factor[0] * s.width + column // s.factor[1]
        return accepted[need] + self.out_beats + 1 if need < len(accepted) else None
