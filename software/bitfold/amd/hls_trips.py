"""How often each loop of the C++ goes round: its cycles when II = 1.

Loops that only count go round as often as the cost model has cycles for their stage
(`cost.interval`). Those that take and send side by side (vector buffer, window, upscaling) need a
few rounds more until there is something to send: theirs follow the recurrences of the RTL
(`cost.schedule_*`), one cycle earlier, since they have no output register.
"""

from collections.abc import Mapping
from functools import singledispatch

from bitfold.cost.schedule_moves import UpscaleSchedule
from bitfold.cost.schedule_window import WindowSchedule
from bitfold.cost.stages import (
    AxisIn,
    AxisOut,
    Fork,
    Gather,
    Join,
    Pad,
    Pool,
    Upscale,
    Window,
)
from bitfold.cost.units import Mvtu, Vvau

Trips = Mapping[str, int]  # the loop's tag -> rounds


@singledispatch
def expected_trips(stage: object, frames: int) -> Trips:
    """Of a stage's loops, in a call for so many frames whose input is all there."""
    raise TypeError(f"no C++ for {type(stage).__name__}")


@expected_trips.register
def _(stage: AxisIn, frames: int) -> Trips:
    return {"axis_in_loop": frames * stage.out_beats}


@expected_trips.register
def _(stage: Mvtu, frames: int) -> Trips:
    vectors, beats = frames * stage.pixels, stage.in_beats
    product = stage.nf * stage.sf * stage.steps
    return {
        "vecbuf_loop": vectors * max(product, beats) + min(product, beats),
        "mvu_loop": vectors * product,
        "results_loop": vectors * stage.out_beats,
    }


@expected_trips.register
def _(stage: Vvau, frames: int) -> Trips:
    vectors = frames * stage.pixels
    return {"vvau_loop": vectors * stage.in_beats, "results_loop": vectors * stage.out_beats}


@expected_trips.register
def _(stage: Window, frames: int) -> Trips:
    windows = stage.out_height * stage.out_width
    pixels = stage.height * stage.width
    return {"window_loop": _rounds(WindowSchedule(stage), frames * pixels, frames * windows)}


@expected_trips.register
def _(stage: Upscale, frames: int) -> Trips:
    pixels = frames * stage.height * stage.width
    return {"upscale_loop": _rounds(UpscaleSchedule(stage), pixels, pixels * stage.block)}


@expected_trips.register
def _(stage: Pool, frames: int) -> Trips:
    return {"maxpool_loop": frames * stage.pixels * stage.positions * stage.beats}


@expected_trips.register
def _(stage: Pad, frames: int) -> Trips:
    return {"pad_loop": frames * stage.out_height * stage.out_width * stage.beats}


@expected_trips.register
def _(stage: Fork, frames: int) -> Trips:
    return {"fork_loop": frames * stage.pixels * stage.beats}


@expected_trips.register
def _(stage: Join, frames: int) -> Trips:
    return {"join_loop": frames * stage.pixels * sum(stage.beats)}


@expected_trips.register
def _(stage: Gather, frames: int) -> Trips:
    return {"gather_loop": frames * stage.pixels * stage.beats}


@expected_trips.register
def _(stage: AxisOut, frames: int) -> Trips:
    return {"axis_out_loop": frames * stage.outputs}


def _rounds(schedule: WindowSchedule | UpscaleSchedule, taken: int, sent: int) -> int:
    """Until `taken` vectors have come and `sent` gone, both neighbours being always ready."""
    came: list[int] = []  # the round of each vector's last beat
    went: list[int] = []
    while len(came) < taken or len(went) < sent:
        before = len(came) + len(went)
        _append(came, taken, schedule.in_beats, schedule.credit(len(came), went))
        offer = schedule.offer(len(went), came)
        _append(went, sent, schedule.out_beats, None if offer is None else offer - 1)
        assert len(came) + len(went) > before, "the recurrence is stuck"
    return 1 + max(came[-1], went[-1])


def _append(times: list[int], count: int, beats: int, earliest: int | None) -> None:
    """The next vector of `beats` beats, if it is known when it may end."""
    if len(times) < count and earliest is not None:
        times.append(max(earliest, times[-1] + beats if times else beats - 1))


def frame_trips(stage: object) -> int:
    """Rounds of a stage's busiest loop from one frame to the next, once it is under way.

    As `cost.interval.stage_cycles`, but for a window: where it waits for the first rows of a frame,
    which the slower stage that it feeds covers up.
    """
    two, three = expected_trips(stage, 2), expected_trips(stage, 3)
    return max(three[tag] - two[tag] for tag in two)
