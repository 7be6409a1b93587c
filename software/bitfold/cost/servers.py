"""The streams of a chain, each between a producer and a consumer with their own recurrences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from bitfold.cost.schedule_mvtu import MvtuSchedule, timing_of
from bitfold.cost.schedule_streams import (
    AxisInSchedule,
    AxisOutSchedule,
    GatherSchedule,
    PoolSchedule,
)
from bitfold.cost.schedule_window import WindowSchedule
from bitfold.cost.stages import AxisIn, AxisOut, Gather, Mvtu, Pool, Stage, Window


class Recurrence(Protocol):
    """What the schedules of the stages have in common; see `schedule_window`."""

    @property
    def in_beats(self) -> int:
        """Beats of an input vector."""

    @property
    def out_beats(self) -> int:
        """Beats of an output vector."""

    def credit(self, vector: int, taken: Sequence[int]) -> int | None:
        """Earliest time of the last beat of input `vector`."""


@final
@dataclass(frozen=True)
class Link:
    """A stream: `times[u]` is when the last beat of the producer's vector u was transferred.

    vectors: of a frame. consumer_vectors: the times at the consumer's vector ends.
    """

    name: str
    vectors: int
    producer: Recurrence | None  # None: the source, which always offers
    consumer: Recurrence | None  # None: the sink, which always takes
    times: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)

    @property
    def beats(self) -> int:
        """Beats of the producer's vector."""
        return self.producer.out_beats if self.producer else 1

    @property
    def ratio(self) -> int:
        """The producer's vectors in one of the consumer's."""
        if self.consumer is None or isinstance(self.consumer, AxisOutSchedule):
            return 1
        whole, rest = divmod(self.consumer.in_beats, self.beats)
        assert whole >= 1, self.name
        assert rest == 0, self.name
        return whole

    def advance(self, before: "Link | None", after: "Link | None") -> bool:
        """Append the next time if all that decides it is known."""
        u = len(self.times)
        offer = self._offer(u, before)
        credit = self._credit(u, after)
        if offer is None or credit is None:
            return False
        # bf_axis_out takes a word in as many cycles as it has integers.
        slow = isinstance(self.consumer, AxisOutSchedule)
        gap = self.consumer.in_beats if slow and self.consumer else self.beats
        time = max(offer, credit, self.times[-1] + gap if u else 0)
        self.times.append(time)
        if (u + 1) % self.ratio == 0:
            self.accepted.append(time)
        return True

    def _offer(self, u: int, before: "Link | None") -> int | None:
        if self.producer is None or before is None:
            return 0
        if isinstance(self.producer, MvtuSchedule):
            return self.producer.offer(u, before.accepted, self.times)
        assert isinstance(
            self.producer,
            WindowSchedule | PoolSchedule | GatherSchedule | AxisInSchedule | AxisOutSchedule,
        )
        return self.producer.offer(u, before.accepted)

    def _credit(self, u: int, after: "Link | None") -> int | None:
        vector, place = divmod(u, self.ratio)
        if place or self.consumer is None or after is None:
            return 0
        credit = self.consumer.credit(vector, after.times)
        if credit is None or self.ratio == 1:
            return credit
        # The vector may begin then; this is its first part.
        return credit - self.consumer.in_beats + self.beats


def make_links(stages: tuple[Stage, ...], style: int) -> tuple[Link, ...]:
    """The source's stream, then what each stage sends."""
    nodes: list[tuple[str, Recurrence, int]] = []
    for stage in stages:
        if isinstance(stage, AxisIn):
            nodes.append((stage.name, AxisInSchedule(stage), stage.beats))
        elif isinstance(stage, Window):
            windows = stage.out_height * stage.out_width
            nodes.append((stage.name, WindowSchedule(stage), windows))
        elif isinstance(stage, Mvtu):
            schedule = MvtuSchedule(stage, timing_of(stage, style))
            nodes.append((stage.name, schedule, stage.pixels * schedule.parts))
        elif isinstance(stage, Pool):
            nodes.append((stage.name, PoolSchedule(stage), stage.pixels))
        elif isinstance(stage, Gather):
            nodes.append((stage.name, GatherSchedule(stage), stage.pixels * stage.words))
        else:
            assert isinstance(stage, AxisOut)
            nodes.append((stage.name, AxisOutSchedule(stage), stage.outputs))
    first = stages[0]
    assert isinstance(first, AxisIn)
    links = [Link("source", first.beats, None, nodes[0][1])]
    for i, (name, node, vectors) in enumerate(nodes):
        consumer = nodes[i + 1][1] if i + 1 < len(nodes) else None
        links.append(Link(name, vectors, node, consumer))
    return tuple(links)
