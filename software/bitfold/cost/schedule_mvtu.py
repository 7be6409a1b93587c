"""When bf_mvtu takes and gives its vectors, to the cycle. Read `schedule_window` first.

start(v) = max(start(v-1) + T, in(v) + 1, out(v-V) + 2)   first product of vector v
out(v)   = start(v) + C                                    last output beat offered
opens(v) = start(v-2) + R                                  first cycle that takes its beats
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from bitfold.cost.latency import dot_latency
from bitfold.cost.stages import Mvtu

START_AFTER_INPUT = 1  # cycles from a vector's last input beat to its first product
START_AFTER_TAKEN = 2  # cycles from the last output beat that frees a place to a first product


def first_out(stage: Mvtu, style: int) -> int:
    """Cycles from a vector's first product to its first output beat being offered."""
    dot = dot_latency(
        stage.folding.simd,
        stage.folding.wp,
        stage.folding.ap,
        weight_bipolar=stage.w_bipolar,
        act_bipolar=stage.act_bipolar,
        style=style,
    )
    return stage.sf * stage.steps + dot + (2 if stage.final else 3)


def last_out(stage: Mvtu, style: int) -> int:
    """C: the same for its last output beat."""
    beats = 1 if stage.final else stage.threshold_cycles
    return first_out(stage, style) + (stage.nf - 1) * stage.fold_cycles + beats - 1


def held_vectors(stage: Mvtu, style: int) -> int:
    """V: output vectors to hold, so that a consumer that always takes never stops the unit.

    Parameter OutVectors of bf_mvtu.
    """
    return max(2, -(-(last_out(stage, style) + START_AFTER_TAKEN) // stage.vector_cycles))


@final
@dataclass(frozen=True)
class MvtuSchedule:
    """Recurrence of bf_mvtu. In: vectors; out: vectors of planes, or words of the last layer."""

    stage: Mvtu
    style: int = 0
    starts: list[int] = field(default_factory=list)  # of the vectors so far

    @property
    def in_beats(self) -> int:
        """Plane beats of a vector."""
        return self.stage.in_beats

    @property
    def out_beats(self) -> int:
        """Plane beats of an output vector; words leave one by one."""
        return 1 if self.stage.final else self.stage.out_beats

    @property
    def parts(self) -> int:
        """Output vectors of an input vector: its words in the last layer."""
        return self.stage.nf if self.stage.final else 1

    def credit(self, vector: int, taken: Sequence[int]) -> int | None:
        """Two are held: a third enters when the first has been read for the last time."""
        s = self.stage
        if vector < 2:
            return 0
        if vector - 2 >= len(self.starts):
            return None
        release = (s.nf - 1) * s.fold_cycles + s.sf * s.steps
        return self.starts[vector - 2] + release + s.in_beats - 1

    def offer(self, part: int, accepted: Sequence[int], taken: Sequence[int]) -> int | None:
        """Once the vector is complete, the one before is done, and there is room for the result."""
        s = self.stage
        vector, word = divmod(part, self.parts)
        if vector == len(self.starts):
            if vector >= len(accepted):
                return None
            start = accepted[vector] + START_AFTER_INPUT
            if vector:
                start = max(start, self.starts[-1] + s.vector_cycles)
            held = held_vectors(s, self.style)
            if vector >= held:
                last_word = (vector - held + 1) * self.parts - 1
                if last_word >= len(taken):
                    return None
                start = max(start, taken[last_word] + START_AFTER_TAKEN)
            self.starts.append(start)
        if s.final:
            return self.starts[vector] + first_out(s, self.style) + word * s.fold_cycles
        return self.starts[vector] + last_out(s, self.style)
