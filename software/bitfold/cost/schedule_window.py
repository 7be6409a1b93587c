"""When bf_window takes and gives its vectors, to the cycle.

A time is the cycle in which the last beat of a vector is transferred. All servers move at most one
beat a cycle, so last beats suffice: a vector of n beats ends no earlier than n cycles after the one
before it, than its producer offers its last beat, and than its consumer has room for it. A chain is
evaluated by turns: on each link

    time(v) = max(producer.offer(v), consumer.credit(v), time(v - 1) + beats)

as soon as both sides are known; `offer` and `credit` return None while they wait for a time that
is not known yet, and 0 when nothing holds the vector back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from bitfold.cost.stages import Window


@final
@dataclass(frozen=True)
class WindowSchedule:
    """Recurrence of bf_window.

    In: pixels p = 0, 1, ... of all frames, `stage.beats` beats each. Out: windows v of all frames.
    """

    stage: Window

    @property
    def in_beats(self) -> int:
        """Beats of an input vector, a pixel."""
        return self.stage.beats

    @property
    def out_beats(self) -> int:
        """Beats of an output vector, a window."""
        return self.stage.window_beats

    @property
    def in_vectors(self) -> int:
        """Input vectors of a frame."""
        return self.stage.height * self.stage.width

    @property
    def out_vectors(self) -> int:
        """Output vectors of a frame."""
        return self.stage.out_height * self.stage.out_width

    @cached_property
    def needs(self) -> tuple[int, ...]:
        """For each window of a frame, the last pixel inside the map that it spans."""
        s = self.stage
        height, width = s.span
        return tuple(
            min(oy * s.stride[0] - s.pads[0] + height, s.height) * s.width
            - s.width
            + min(ox * s.stride[1] - s.pads[1] + width, s.width)
            - 1
            for oy in range(s.out_height)
            for ox in range(s.out_width)
        )

    @cached_property
    def freed(self) -> tuple[int, ...]:
        """For each output row, the rows of the frame that are free once it has left."""
        s = self.stage
        tops = (max(0, oy * s.stride[0] - s.pads[0]) for oy in range(1, s.out_height))
        return (*tops, s.height)

    def gate(self, pixel: int) -> int | None:
        """The window that has to leave before `pixel`, the first of its row, may enter."""
        s = self.stage
        frame, index = divmod(pixel, self.in_vectors)
        least = index // s.width + 1 - s.rows  # rows of the frame that must be free
        while least <= 0:
            frame, least = frame - 1, least + s.height
        if frame < 0:
            return None
        row = next(oy for oy, rows in enumerate(self.freed) if rows >= least)
        return frame * self.out_vectors + (row + 1) * s.out_width - 1

    def credit(self, pixel: int, taken: Sequence[int]) -> int | None:
        """Earliest time of input `pixel`; taken[v]: known times of the windows.

        A row enters when its place is free: its first beat one cycle after the last beat of the
        window that frees it.
        """
        if pixel % self.stage.width:
            return 0
        gate = self.gate(pixel)
        if gate is None:
            return 0
        return taken[gate] + self.in_beats if gate < len(taken) else None

    def offer(self, window: int, accepted: Sequence[int]) -> int | None:
        """Earliest time of output `window`; accepted[p]: known times of the pixels.

        The first beat is read in the cycle after the last pixel inside the map was written.
        """
        frame, index = divmod(window, self.out_vectors)
        need = frame * self.in_vectors + self.needs[index]
        return accepted[need] + self.out_beats + 1 if need < len(accepted) else None
