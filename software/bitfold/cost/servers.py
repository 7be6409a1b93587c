"""The streams of an accelerator, each between a producer and a consumer with their recurrences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from bitfold.cost.schedule_branches import ForkSchedule, JoinSchedule
from bitfold.cost.schedule_moves import PadSchedule, UpscaleSchedule
from bitfold.cost.schedule_mvtu import MvtuSchedule, timings_of
from bitfold.cost.schedule_streams import (
    AxisInSchedule,
    AxisOutSchedule,
    GatherSchedule,
    PoolSchedule,
)
from bitfold.cost.schedule_window import WindowSchedule
from bitfold.cost.stages import (
    AxisIn,
    AxisOut,
    Fork,
    Gather,
    Join,
    Pad,
    Pool,
    Stage,
    Upscale,
    Window,
)
from bitfold.cost.streams import reads_of, streams_of
from bitfold.cost.units import Mvtu, Vvau

Moves = WindowSchedule | PadSchedule | UpscaleSchedule
Simple = Moves | AxisInSchedule | PoolSchedule | GatherSchedule | AxisOutSchedule
Schedule = Simple | MvtuSchedule | ForkSchedule | JoinSchedule
BEFORE = 2  # cycles from the reset to the first beat at the input, which is time 0


@final
@dataclass(frozen=True)
class Server:
    """A stage: its recurrence, the streams it reads and those it sends."""

    schedule: Schedule
    inputs: list["Link"] = field(default_factory=list)
    outputs: list["Link"] = field(default_factory=list)

    def in_beats(self, port: int) -> int:
        """Beats of a vector of that input."""
        s = self.schedule
        return s.stage.beats[port] if isinstance(s, JoinSchedule) else s.in_beats

    def offer(self, vector: int) -> int | None:
        """Earliest time of an output vector, as far as this stage decides."""
        s = self.schedule
        if isinstance(s, MvtuSchedule):
            s.advance(self.inputs[0].accepted, self.outputs[0].times)
            return s.offer(vector)
        return s.offer(vector, self.inputs[-1].accepted)

    def credit(self, vector: int, port: int) -> int | None:
        """Earliest time of an input vector, as far as this stage decides."""
        s = self.schedule
        if isinstance(s, ForkSchedule):
            return s.credit(vector, [link.times for link in self.outputs])
        taken = self.outputs[0].times
        if isinstance(s, MvtuSchedule):
            s.advance(self.inputs[0].accepted, taken)
            return s.credit(vector)
        if isinstance(s, JoinSchedule):
            return s.credit(vector, port, [link.accepted for link in self.inputs], taken)
        return s.credit(vector, taken)


@final
@dataclass(frozen=True)
class Link:
    """A stream: `times[u]` is when the last beat of the producer's vector u was transferred.

    vectors:  of a frame. beats: of the producer's vector. port: of the consumer.
    pace:     of the source: cycles between the frames that it offers; 0: it always offers.
    accepted: the times at the consumer's vector ends.
    """

    name: str
    vectors: int
    beats: int
    producer: Server | None  # None: the source, or zeros
    consumer: Server | None  # None: the sink, which always takes
    port: int = 0
    pace: int = 0
    times: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)

    @property
    def slow(self) -> bool:
        """bf_axis_out takes a word in as many cycles as it has integers."""
        return self.consumer is not None and isinstance(self.consumer.schedule, AxisOutSchedule)

    @property
    def ratio(self) -> int:
        """The producer's vectors in one of the consumer's."""
        if self.consumer is None or self.slow:
            return 1
        whole, rest = divmod(self.consumer.in_beats(self.port), self.beats)
        assert whole >= 1, self.name
        assert rest == 0, self.name
        return whole

    def run(self, count: int) -> bool:
        """Append the times, up to `count`, of which all that decides them is known."""
        before, ratio = len(self.times), self.ratio
        gap = self.consumer.in_beats(self.port) if self.slow and self.consumer else self.beats
        while (u := len(self.times)) < count:
            offer = self._offer(u)
            credit = self._credit(u, ratio)
            if offer is None or credit is None:
                break
            time = max(offer, credit, self.times[-1] + gap if u else 0)
            self.times.append(time)
            if (u + 1) % ratio == 0:
                self.accepted.append(time)
        return len(self.times) > before

    def _offer(self, u: int) -> int | None:
        if self.producer is not None:
            return self.producer.offer(u)
        frame, vector = divmod(u, self.vectors)
        if self.consumer is not None and not isinstance(self.consumer.schedule, AxisInSchedule):
            return self.beats - 1 - BEFORE  # zeros are there once the reset ends
        return frame * self.pace + vector * self.pace // self.vectors

    def _credit(self, u: int, ratio: int) -> int | None:
        vector, place = divmod(u, ratio)
        if place or self.consumer is None:
            return 0
        credit = self.consumer.credit(vector, self.port)
        if credit is None or ratio == 1:
            return credit
        # The vector may begin then; this is its first part.
        return credit - self.consumer.in_beats(self.port) + self.beats


def make_links(
    stages: tuple[Stage, ...],
    style: int,
    *,
    pace: int = 0,
    unlimited: bool = False,
    modes: Sequence[int] = (0,),
) -> tuple[Link, ...]:
    """The source's stream, then what each stage sends; last, constant zeros that joins read.

    style: of the popcounts. pace: see `Link`. unlimited: forks whose FIFOs are never full.
    modes: of the frames, where stages have modes; the last goes on.
    """
    reads = reads_of(stages)
    servers = {s.name: Server(_schedule(s, style, unlimited, modes)) for s in stages}
    consumers = {
        name: (stage, port)
        for stage in stages
        for port, name in enumerate(reads[stage.name])
        if name
    }
    first = stages[0]
    assert isinstance(first, AxisIn)
    source = Link("source", first.beats, 1, None, servers[first.name], pace=pace)
    servers[first.name].inputs.append(source)
    links, by_name = [source], dict[str, Link]()
    for stage in stages:
        server = servers[stage.name]
        for name, vectors in _sent(stage, server).items():
            consumer, port = consumers.get(name, (None, 0))
            reader = servers[consumer.name] if consumer else None
            link = Link(name, vectors, server.schedule.out_beats, server, reader, port)
            server.outputs.append(link)
            by_name[name] = link
            links.append(link)
    for stage in stages[1:]:
        server = servers[stage.name]
        for port, name in enumerate(reads[stage.name]):
            if name:
                server.inputs.append(by_name[name])
            else:
                assert isinstance(stage, Join)
                zeros = Link("zeros", stage.pixels, stage.beats[port], None, server, port)
                server.inputs.append(zeros)
                links.append(zeros)
    return tuple(links)


def _schedule(stage: Stage, style: int, unlimited: bool, modes: Sequence[int]) -> Schedule:
    match stage:
        case AxisIn():
            return AxisInSchedule(stage)
        case Window():
            return WindowSchedule(stage)
        case Mvtu() | Vvau():
            timings = timings_of(stage, style)
            return MvtuSchedule(stage, timings, modes if stage.modes else (0,))
        case Pool():
            return PoolSchedule(stage)
        case Pad():
            return PadSchedule(stage)
        case Upscale():
            return UpscaleSchedule(stage)
        case Fork():
            return ForkSchedule(stage, unlimited)
        case Join():
            return JoinSchedule(stage)
        case Gather():
            return GatherSchedule(stage)
        case AxisOut():
            return AxisOutSchedule(stage)


def _sent(stage: Stage, server: Server) -> Mapping[str, int]:
    """The streams that a stage sends, and their vectors of a frame."""
    if isinstance(stage, AxisOut):
        return {stage.name: stage.outputs}
    return {s.name: s.beats // server.schedule.out_beats for s in streams_of(stage)}
