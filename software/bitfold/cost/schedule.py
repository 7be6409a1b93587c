"""The exact cycle model: when every vector of every stream is transferred.

Each stage moves at most one beat a cycle and its readiness changes only between vectors, so the
time of a vector's *last* beat says all; the stages' headers state their recurrence over those
times. Here the recurrences of a chain are evaluated together: a stage waits for its input vectors
and for room in the next stage, which depends on that stage's own progress on earlier vectors.

Times are cycles, counted from the transfer of the first input beat. The source always offers and
the sink always takes, which is how `bitfold verify` measures.
"""

from dataclasses import dataclass
from typing import final

from bitfold.cost.servers import Server, make_servers
from bitfold.cost.stages import Stage
from bitfold.cost.streams import streams

MAX_VECTORS = 400_000       # of all streams together; beyond, frames repeat the last interval


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


def frame_times(stages: tuple[Stage, ...], frames: int) -> tuple[Timeline, ...]:
    """For each stream of the chain and for the output, the last transfer of each frame.

    All frames are evaluated as long as that stays quick; a long run is cut to a few frames, and
    each stream's last interval is taken to repeat.
    """
    links = streams(stages)
    vectors = sum(link.beats // link.vector for link in links) + 1
    evaluated = max(2, min(frames, MAX_VECTORS // vectors)) if frames > 1 else 1
    servers = make_servers(stages)
    _run(servers, [server.vectors * evaluated for server in servers])
    return tuple(
        Timeline(
            stage=server.name,
            ends=tuple(server.times[server.vectors * (f + 1) - 1] for f in range(evaluated)),
        )
        for server in servers
    )


def _run(servers: tuple[Server, ...], wanted: list[int]) -> None:
    """Let every server send its vectors; those whose input or room is unknown wait their turn."""
    progress = True
    while progress:
        progress = False
        for server, count in zip(servers, wanted, strict=True):
            while len(server.times) < count and (time := server.next_time()) is not None:
                server.times.append(time)
                progress = True
    stuck = [s.name for s, n in zip(servers, wanted, strict=True) if len(s.times) < n]
    assert not stuck, f"deadlock in the cycle model at {stuck}"
