"""The cycles in which streams ended their frames: as the probes saw them, and as predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from bitfold.cost.schedule import Timeline


@final
@dataclass(frozen=True, kw_only=True)
class StageTiming:
    """One stream inside the accelerator: when it ended its first frame, and its interval.

    latency_cycles counts from the first beat of the first frame to the stream's last of it;
    interval_cycles is the distance of the last two frames' ends.
    """

    stage: str
    latency_predicted: int
    latency_measured: int
    interval_predicted: int
    interval_measured: int
    frames_equal: bool  # the end of every simulated frame is as predicted


def stage_timing(
    path: Path, timelines: tuple[Timeline, ...], frames: int
) -> tuple[StageTiming, ...]:
    """Measured against predicted ends of every frame; beyond the model's frames, periodic."""
    lines = np.loadtxt(path, dtype=np.int64, ndmin=2)
    origin = lines[lines[:, 0] == 0, 1][0]  # probe 0 marks the first input beat
    found = []
    for number, line in enumerate(timelines, start=1):
        measured = lines[lines[:, 0] == number, 1] - origin
        predicted = line.extended(frames)
        equal = len(measured) == frames and bool((measured == predicted).all())
        found.append(
            StageTiming(
                stage=line.stage,
                latency_predicted=int(predicted[0]),
                latency_measured=int(measured[0]),
                interval_predicted=line.interval,
                interval_measured=int(measured[-1] - measured[-2]) if frames > 1 else 0,
                frames_equal=equal,
            )
        )
    return tuple(found)


def frame_ends(path: Path, stream: int) -> list[int]:
    """Cycles of the frames' ends on a stream, as its probe wrote them."""
    lines = np.loadtxt(path, dtype=np.int64, ndmin=2)
    ends: list[int] = lines[lines[:, 0] == stream, 1].tolist()
    return ends


def tail_cycles(timelines: tuple[Timeline, ...], frames: int) -> int:
    """Cycles from the last output until every stream has ended its last frame.

    Pixels at the end of a map that no window covers may pass after the frame's result has left.
    """
    ends = [line.extended(frames)[-1] for line in timelines]
    return max(ends) - ends[-1]
