"""Plane streams in plain Python: what the streaming modules ought to say, and schedules for them.

A map is a list of pixels, row-major; a pixel is the list of its beats (bit i = channel i of a
group; channel groups in order, planes most significant first in each).
"""

import random
from collections.abc import Sequence
from typing import Protocol

Pixel = list[int]


def random_map(rng: random.Random, pixels: int, beats: int, group: int) -> list[Pixel]:
    """Random beats."""
    return [[rng.getrandbits(group) for _ in range(beats)] for _ in range(pixels)]


def flat(vectors: Sequence[Sequence[int]]) -> list[int]:
    """All beats of all vectors."""
    return [beat for vector in vectors for beat in vector]


def padding(beats: int, group: int, planes: int, sign: bool) -> Pixel:
    """A pixel of padding: zeros, or the least value of a signed type."""
    ones = (1 << group) - 1
    return [ones if sign and beat % planes == 0 else 0 for beat in range(beats)]


def windows(
    pixels: Sequence[Pixel],
    size: tuple[int, int],
    *,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    pad: Pixel,
    dilation: tuple[int, int] = (1, 1),
) -> list[list[int]]:
    """Beats of each window of one map; pads are top, left, bottom, right."""
    height, width = size
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    out_h = (height + pads[0] + pads[2] - spans[0]) // stride[0] + 1
    out_w = (width + pads[1] + pads[3] - spans[1]) // stride[1] + 1
    found = []
    for oy in range(out_h):
        for ox in range(out_w):
            beats: list[int] = []
            for ky in range(kernel[0]):
                for kx in range(kernel[1]):
                    y = oy * stride[0] - pads[0] + ky * dilation[0]
                    x = ox * stride[1] - pads[1] + kx * dilation[1]
                    inside = 0 <= y < height and 0 <= x < width
                    beats += pixels[y * width + x] if inside else pad
            found.append(beats)
    return found


def to_planes(values: Sequence[int], group: int, planes: int) -> list[int]:
    """Beats of one pixel: `group` channels at a time, most significant plane first."""
    return [
        sum(((values[g + i] >> plane) & 1) << i for i in range(group))
        for g in range(0, len(values), group)
        for plane in reversed(range(planes))
    ]


def irregular_times(rng: random.Random, count: int, most: int) -> list[int]:
    """Rising cycles, at least one apart, in bursts with gaps of up to `most`."""
    times = []
    now = 0
    for _ in range(count):
        now += 1 + (rng.randint(0, most) if rng.random() < 0.15 else 0)
        times.append(now)
    return times


def vector_waits(rng: random.Random, vectors: int, beats: int, most: int) -> dict[int, int]:
    """For some vectors, cycles to wait before their first beat."""
    return {v * beats: rng.randint(0, most) for v in range(vectors) if rng.random() < 0.5}


def inner_waits(rng: random.Random, vectors: int, beats: int, most: int) -> dict[int, int]:
    """For some vectors, cycles to wait before one of their beats."""
    return {
        v * beats + rng.randrange(beats): rng.randint(0, most)
        for v in range(vectors)
        if rng.random() < 0.5
    }


def last_times(times: Sequence[int], beats: int) -> list[int]:
    """The cycle of the last beat of each vector."""
    return list(times[beats - 1 :: beats])


def consumer_times(ready_from: dict[int, int], vectors: int, beats: int) -> list[int]:
    """For each vector, the earliest cycle of its last beat that the consumer's waits allow."""
    return [
        max(ready_from[v * beats + b] + beats - 1 - b for b in range(beats)) for v in range(vectors)
    ]


class Schedule(Protocol):
    """A module's recurrence, as in bitfold.cost.schedule_window."""

    @property
    def in_beats(self) -> int: ...
    @property
    def out_beats(self) -> int: ...
    def credit(self, vector: int, taken: Sequence[int]) -> int | None: ...
    def offer(self, vector: int, accepted: Sequence[int]) -> int | None: ...


def predict(
    schedule: Schedule, offered: Sequence[int], consumer: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Times of all input and output vectors, given when each is offered and could be taken."""
    accepted: list[int] = []
    taken: list[int] = []
    while len(accepted) < len(offered) or len(taken) < len(consumer):
        before = len(accepted) + len(taken)
        if len(accepted) < len(offered):
            credit = schedule.credit(len(accepted), taken)
            if credit is not None:
                previous = accepted[-1] + schedule.in_beats if accepted else 0
                accepted.append(max(offered[len(accepted)], credit, previous))
        if len(taken) < len(consumer):
            offer = schedule.offer(len(taken), accepted)
            if offer is not None:
                previous = taken[-1] + schedule.out_beats if taken else 0
                taken.append(max(offer, consumer[len(taken)], previous))
        assert len(accepted) + len(taken) > before, "the schedule is stuck"
    return accepted, taken
