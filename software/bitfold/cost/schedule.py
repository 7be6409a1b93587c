"""The exact cycle model: when every vector of every stream is transferred.

Each stage moves at most one beat a cycle and its readiness changes only between vectors, so the
time of a vector's *last* beat says all; the stages' headers state their recurrence over those
times. Here the recurrences of all stages are evaluated together: one waits for its input vectors
and for room in the next stage, which depends on that stage's own progress on earlier vectors.

Times are cycles, counted from the transfer of the first input beat. The source always offers and
the sink always takes, which is how `bitfold verify` measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from bitfold.cost.servers import Link, make_links
from bitfold.cost.stages import Stage

MAX_VECTORS = 400_000  # of all streams together; beyond, frames repeat the last interval


@final
@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When a stream ended each frame; beyond `ends`, every `interval` cycles."""

    stage: str
    ends: tuple[int, ...]

    @property
    def interval(self) -> int:
        """Cycles between the last two frames; 0 if there was one frame."""
        return self.ends[-1] - self.ends[-2] if len(self.ends) > 1 else 0

    def extended(self, frames: int) -> tuple[int, ...]:
        """Ends of that many frames."""
        more = range(1, frames - len(self.ends) + 1)
        return (*self.ends[:frames], *(self.ends[-1] + i * self.interval for i in more))


def frame_times(
    stages: tuple[Stage, ...], frames: int, style: int = 0, modes: Sequence[int] = ()
) -> tuple[Timeline, ...]:
    """For each stream that a stage sends, the last transfer of each frame.

    All frames are evaluated as long as that stays quick; a long run is cut to a few frames, and
    each stream's last interval is taken to repeat. style: of the popcounts, decides their latency.
    modes: of the frames, for stages with run-time precision; where they differ nothing is cut.
    """
    links = make_links(stages, style, modes=modes or (0,))
    vectors = sum(link.vectors for link in links)
    evaluated = max(2, min(frames, MAX_VECTORS // vectors)) if frames > 1 else 1
    if len(set(modes)) > 1:
        evaluated = frames
    stuck = run_links(links, evaluated)
    assert not stuck, f"deadlock in the cycle model at {stuck}"
    return tuple(
        Timeline(
            stage=link.name,
            ends=tuple(link.times[link.vectors * (f + 1) - 1] for f in range(evaluated)),
        )
        for link in links
        if link.producer is not None
    )


def run_links(links: tuple[Link, ...], frames: int) -> list[str]:
    """Let every stream move its vectors; those whose input or room is unknown wait their turn.

    Names of streams that never end: a deadlock.
    """
    progress = True
    while progress:
        progress = False
        for link in links:
            progress |= link.run(link.vectors * frames)
    return [link.name for link in links if len(link.times) < link.vectors * frames]
