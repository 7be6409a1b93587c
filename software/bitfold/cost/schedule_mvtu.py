"""When bf_mvtu and bf_vvau take and give their vectors, to the cycle. Read `schedule_window` first.

With modes T, C and R are those of the mode of the vector that they count from.

start(v) = max(start(v-1) + T, in(v) + 1, out(v-V) + 2)   first product of vector v
out(v)   = start(v) + C                                    last output beat offered
opens(v) = start(v-2) + R                                  first cycle that takes its beats
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from bitfold.cost.latency import dot_latency
from bitfold.cost.timing import START_AFTER_INPUT, START_AFTER_TAKEN, MvtuTiming, held
from bitfold.cost.units import Mvtu, Vvau


def timings_of(stage: Mvtu | Vvau, style: int) -> tuple[MvtuTiming, ...]:
    """Cycle counts of a stage in each of its modes, one without; style: of its popcounts."""
    if isinstance(stage, Vvau):
        timing = MvtuTiming(
            product=1,
            folds=stage.nf,
            search=stage.search_cycles,
            dot_latency=1,
            final=stage.final,
        )
        return (timing,) * (len(stage.modes.kept) if stage.modes else 1)
    dot = dot_latency(
        stage.folding.simd,
        stage.folding.wp,
        stage.folding.ap,
        weight_bipolar=stage.w_bipolar,
        act_bipolar=stage.act_bipolar,
        style=style,
    )
    return tuple(
        MvtuTiming(
            product=stage.sf * steps,
            folds=stage.nf,
            search=1 if stage.final else stage.threshold_cycles,
            dot_latency=dot,
            final=stage.final,
            lead=stage.modes is not None,
        )
        for steps in stage.mode_steps
    )


def held_vectors(stage: Mvtu | Vvau, style: int) -> int:
    """V: output vectors to hold; parameter OutVectors."""
    return held(timings_of(stage, style))


@final
@dataclass(frozen=True)
class MvtuSchedule:
    """Recurrence of bf_mvtu and bf_vvau. In: vectors; out: vectors, or words of the last layer.

    timings: in each mode. modes: of the frames; the last is also that of all frames behind it.
    """

    stage: Mvtu | Vvau
    timings: tuple[MvtuTiming, ...]
    modes: Sequence[int] = (0,)
    starts: list[int] = field(default_factory=list)  # of the vectors so far

    def timing(self, vector: int) -> MvtuTiming:
        """In the mode of the vector's frame."""
        frame = min(vector // self.stage.pixels, len(self.modes) - 1)
        return self.timings[self.modes[frame]]

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
        most = held(self.timings)
        while (vector := len(self.starts)) < len(accepted):
            start = accepted[vector] + START_AFTER_INPUT
            if vector:
                start = max(start, self.starts[-1] + self.timing(vector - 1).period)
            if vector >= most:
                last_word = (vector - most + 1) * self.parts - 1
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
        release = self.timing(vector - 2).release
        return self.starts[vector - 2] + release + self.stage.in_beats - 1

    def offer(self, part: int) -> int | None:
        """So many cycles behind the start of its vector."""
        vector, word = divmod(part, self.parts)
        if vector >= len(self.starts):
            return None
        if self.stage.final:
            return self.starts[vector] + self.timing(vector).out_offsets[word]
        return self.starts[vector] + self.timing(vector).last_out
