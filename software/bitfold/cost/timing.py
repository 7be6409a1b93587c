"""Exact timing of a matrix-vector-threshold unit, vector by vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

START_AFTER_INPUT = 1  # cycles from a vector's last input beat to its first product
START_AFTER_TAKEN = 2  # cycles from the last output beat that frees a place to a first product


@final
@dataclass(frozen=True, kw_only=True)
class MvtuTiming:
    """Cycle counts of a bf_mvtu.

    product:     STEPS * SF, issues of a fold
    folds:       NF = MH / Pe
    search:      OutBits * Pe / Tpe, output beats of a fold; 1 in the last layer (integers)
    dot_latency: of bf_dot
    final:       integers leave, not planes
    register:    parameter MemRegister
    lead:        idle cycles of a fold come in front of its products: a unit with modes
    """

    product: int
    folds: int
    search: int
    dot_latency: int
    final: bool
    register: int = 0
    lead: bool = False

    @property
    def fold(self) -> int:
        """Cycles from a fold's first product to the next fold's: parameter FoldCycles."""
        return max(self.product, self.search)

    @property
    def period(self) -> int:
        """T: cycles from a vector to the next at full rate."""
        return self.folds * self.fold

    @property
    def release(self) -> int:
        """R: cycles from a vector's first product to the first in which its slot takes beats."""
        return (self.folds - 1) * self.fold + self.product_end

    @property
    def product_end(self) -> int:
        """Cycles from the start of a fold to the end of its products."""
        return self.fold if self.lead else self.product

    @property
    def first_out(self) -> int:
        """Cycles from a vector's first product to its first output beat being offered."""
        return self.product_end + self.dot_latency + self.register + (2 if self.final else 3)

    @property
    def out_offsets(self) -> tuple[int, ...]:
        """Cycles from a vector's first product to each of its output beats being offered."""
        return tuple(
            self.first_out + f * self.fold + i
            for f in range(self.folds)
            for i in range(self.search)
        )

    @property
    def last_out(self) -> int:
        """C: the same for the last beat."""
        return self.first_out + (self.folds - 1) * self.fold + self.search - 1

    @property
    def vectors(self) -> int:
        """V: output vectors to hold, so that a consumer that always takes never stops the unit.

        Parameter OutVectors. start(v) waits for taken(v - V) + START_AFTER_TAKEN.
        """
        return max(2, -(-(self.last_out + START_AFTER_TAKEN) // self.period))


def held(timings: Sequence[MvtuTiming]) -> int:
    """V of a unit that has these cycle counts in its modes."""
    return max(timing.vectors for timing in timings)


def mvtu_schedule(
    timings: Sequence[MvtuTiming],
    last_in: Sequence[int],
    last_taken: Sequence[int],
    vectors: int,
) -> tuple[list[int], list[int], list[int]]:
    """When vectors start, when their last output beat is offered, when their slot opens.

        start(v)  = max(start(v-1) + T, last_in(v) + 1, last_taken(v-V) + 2)
        out(v)    = start(v) + C      last beat offered; earlier beats: start(v) + out_offsets
        opens(v)  = start(v-2) + R    first cycle in which a beat of vector v may be taken

    timings[v]:    cycle counts of vector v: T of v-1, C of v, R of v-2.
    last_in[v]:    cycle in which the last input beat of vector v is transferred.
    last_taken[v]: cycle in which the last output beat of vector v is transferred; those of
                   vectors below len(last_in) - V are read. A consumer that is ready from cycle r on
                   takes the last of K beats in max(out(v), r + K - 1, last_taken(v-1) + K).
    vectors:       V, the parameter OutVectors.
    Returns (start, out, opens), opens with 0 for the first two vectors.
    """
    starts: list[int] = []
    for v, arrived in enumerate(last_in):
        start = arrived + START_AFTER_INPUT
        if v >= 1:
            start = max(start, starts[v - 1] + timings[v - 1].period)
        if v >= vectors:
            start = max(start, last_taken[v - vectors] + START_AFTER_TAKEN)
        starts.append(start)
    offered = [s + t.last_out for s, t in zip(starts, timings, strict=True)]
    opens = [starts[v - 2] + timings[v - 2].release if v >= 2 else 0 for v in range(len(starts))]
    return starts, offered, opens
