"""Cycles of frames against a model's, without a simulator."""

from pathlib import Path

import pytest

from bitfold.cost.schedule import Timeline
from bitfold.sim.timing import StageTiming, frame_ends, stage_timing, tail_cycles

FRAMES = 4
LINES = (
    Timeline(stage="first", ends=(9, 19)),
    Timeline(stage="last", ends=(14, 24)),
)


def probed(path: Path, late: int = 0) -> Path:
    """What probes write: stream, cycle; the run begins in cycle 100, one frame comes `late`."""
    ends = {0: [100], 1: [109, 119, 129, 139], 2: [114, 124, 134 + late, 144]}
    path.write_text("".join(f"{n} {cycle}\n" for n, found in ends.items() for cycle in found))
    return path


def timed(path: Path, late: int = 0) -> tuple[StageTiming, ...]:
    return stage_timing(probed(path, late), LINES, FRAMES)


def test_streams_are_measured_from_the_first_beat(tmp_path: Path) -> None:
    first, last = timed(tmp_path / "probes.txt")
    assert (first.stage, first.latency_predicted, first.latency_measured) == ("first", 9, 9)
    assert (last.latency_predicted, last.latency_measured) == (14, 14)
    assert (last.interval_predicted, last.interval_measured) == (10, 10)
    assert first.frames_equal
    assert last.frames_equal


@pytest.mark.parametrize("late", [-1, 1])
def test_one_cycle_of_one_frame_is_found(tmp_path: Path, late: int) -> None:
    first, last = timed(tmp_path / "probes.txt", late)
    assert first.frames_equal
    assert not last.frames_equal
    assert last.latency_measured == last.latency_predicted


def test_a_frame_that_never_ended_is_found(tmp_path: Path) -> None:
    path = probed(tmp_path / "probes.txt")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert [t.frames_equal for t in stage_timing(path, LINES, FRAMES)] == [True, False]


def test_ends_are_those_of_one_stream(tmp_path: Path) -> None:
    assert frame_ends(probed(tmp_path / "probes.txt"), 1) == [109, 119, 129, 139]


def test_the_tail_lasts_until_the_slowest_stream_has_ended() -> None:
    assert tail_cycles(LINES, FRAMES) == 0
    assert tail_cycles(LINES[::-1], FRAMES) == 5
