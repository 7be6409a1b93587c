"""When bf_mvtu and bf_vvau take and give their vectors, to the cycle. Read `schedule_window` first.

start(v) = max(start(v-1) + T, in(v) + 1, out(v-V) + 2)   first product of vector v
out(v)   = start(v) + C                                    last output beat offered
opens(v) = start(v-2) + R                                  first cycle that takes its beats
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from bitfold.cost.latency import dot_latency
from bitfold.cost.stages import Mvtu, Vvau
from bitfold.cost.timing import START_AFTER_INPUT, START_AFTER_TAKEN, MvtuTiming


def timing_of(stage: Mvtu | Vvau, style: int) -> MvtuTiming:
    """Cycle counts of a stage; style: of its popcounts."""
    if isinstance(stage, Vvau):
        return MvtuTiming(
            product=1,
            folds=stage.nf,
            search=stage.search_cycles,
            dot_latency=1,
            final=stage.final,
        )
    dot = dot_latency(
        stage.folding.simd,
        stage.folding.wp,
        stage.folding.ap,
        weight_bipolar=stage.w_bipolar,
        act_bipolar=stage.act_bipolar,
        style=style,
    )
    return MvtuTiming(
        product=stage.sf * stage.steps,
        folds=stage.nf,
        search=1 if stage.final else stage.threshold_cycles,
        dot_latency=dot,
        final=stage.final,
    )


def held_vectors(stage: Mvtu | Vvau, style: int) -> int:
    """V: output vectors to hold; parameter OutVectors."""
    return timing_of(stage, style).vectors


@final
@dataclass(frozen=True)
class MvtuSchedule:
    """Recurrence of bf_mvtu and bf_vvau. In: vectors; out: vectors, or words of the last layer."""

    stage: Mvtu | Vvau
    timing: MvtuTiming
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

    def advance(self, accepted: Sequence[int], taken: Sequence[int]) -> None:
        """Start the vectors of which all that decides it is known.

        A vector starts once it is complete, the one before is done, and there is room for its
        result; whether that result is taken is another matter.
        """
        held = self.timing.vectors
        while (vector := len(self.starts)) < len(accepted):
            start = accepted[vector] + START_AFTER_INPUT
            if vector:
                start = max(start, self.starts[-1] + self.timing.period)
            if vector >= held:
                last_word = (vector - held + 1) * self.parts - 1
                if last_word >= len(taken):
                    return
                start = max(start, taken[last_word] + START_AFTER_TAKEN)
            self.starts.append(start)

    def credit(self, vector: int) -> int | None:
        """Two are held: a third enters when the first has been read for the last time."""
        if vector < 2:
            return 0
        if vector - 2 >= len(self.starts):
            return None
        return self.starts[vector - 2] + self.timing.release + self.stage.in_beats - 1

    def offer(self, part: int) -> int | None:
        """So many cycles behind the start of its vector."""
        vector, word = divmod(part, self.parts)
        if vector >= len(self.starts):
            return None
        if self.stage.final:
            return self.starts[vector] + self.timing.out_offsets[word]
        return self.starts[vector] + self.timing.last_out
