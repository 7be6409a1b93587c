"""When bf_fork and bf_join take and give their vectors, to the cycle. Read `schedule_window` first.

Both hold whole vectors in FIFOs and their readiness changes only between vectors, so that the times
of last beats say all, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from bitfold.cost.stages import Fork, Join


@final
@dataclass(frozen=True)
class ForkSchedule:
    """Recurrence of bf_fork. In and out: vectors. `unlimited`: FIFOs that are never full."""

    stage: Fork
    unlimited: bool = False

    @property
    def in_beats(self) -> int:
        """Beats of a vector."""
        return self.stage.beats

    @property
    def out_beats(self) -> int:
        """The same."""
        return self.stage.beats

    def credit(self, vector: int, taken: Sequence[Sequence[int]]) -> int | None:
        """Every branch has room for the whole vector: its oldest one has left."""
        earliest = 0
        for held, times in zip(self.stage.vectors, taken, strict=True):
            if self.unlimited or vector < held:
                continue
            if vector - held >= len(times):
                return None
            earliest = max(earliest, times[vector - held] + self.stage.beats)
        return earliest

    def offer(self, vector: int, accepted: Sequence[int]) -> int | None:
        """A beat is offered in the cycle after it came."""
        return accepted[vector] + 1 if vector < len(accepted) else None


@final
@dataclass(frozen=True)
class JoinSchedule:
    """Recurrence of bf_join. In: a vector of each branch; out: them all."""

    stage: Join
    held: int = 2  # output vectors in its FIFO

    @property
    def out_beats(self) -> int:
        """Beats of all branches."""
        return sum(self.stage.beats)

    def credit(
        self, vector: int, port: int, accepted: Sequence[Sequence[int]], taken: Sequence[int]
    ) -> int | None:
        """The branch before is through; the first one waits for room for all of them."""
        beats = self.stage.beats[port]
        if port:
            before = accepted[port - 1]
            return before[vector] + beats if vector < len(before) else None
        earliest = 0
        if vector:
            last = accepted[-1]
            if vector - 1 >= len(last):
                return None
            earliest = last[vector - 1] + beats
        if vector >= self.held:
            if vector - self.held >= len(taken):
                return None
            earliest = max(earliest, taken[vector - self.held] + beats)
        return earliest

    def offer(self, vector: int, accepted: Sequence[int]) -> int | None:
        """A beat is offered in the cycle after it came; accepted: of the last branch."""
        return accepted[vector] + 1 if vector < len(accepted) else None
