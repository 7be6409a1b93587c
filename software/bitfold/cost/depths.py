"""How many vectors the FIFOs of forks must hold, so that branches never stop each other.

Frames are fed one an interval to an accelerator whose forks never fill. What a branch then holds at
most is what it needs: with FIFOs of that depth the same times are possible, and since every stage
only ever waits for a maximum of earlier times, an accelerator that is fed as fast as it can take is
never later. So it runs at the full rate, and it cannot lock up.

That bound is often met and at times a few vectors too high, where what feeds a fork comes in bursts
that could as well wait. In networks that are evaluated quickly each depth is lowered to the least
that keeps the rate.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bitfold.cost.interval import interval
from bitfold.cost.schedule import run_links
from bitfold.cost.schedule_branches import ForkSchedule
from bitfold.cost.servers import Link, make_links
from bitfold.cost.stages import Fork, Stage, at_mode, mode_count

_FRAMES = 3  # the first starts an empty accelerator; by the third all frames are alike
_QUICK = 6_000  # vectors of a frame, of all streams: about a second for all forks


def with_depths(stages: tuple[Stage, ...], style: int) -> tuple[Stage, ...]:
    """The same stages, each fork with the vectors that its branches need, at least 2.

    style: of the popcounts, decides their latency.
    """
    if not any(isinstance(stage, Fork) for stage in stages):
        return stages
    modes = mode_count(stages)
    if modes > 1:
        # What a FIFO must hold for the rate of one mode differs from another's: the most.
        needed: dict[str, tuple[int, ...]] = {}
        for mode in range(modes):
            for s in with_depths(tuple(at_mode(s, mode) for s in stages), style):
                if isinstance(s, Fork):
                    held = needed.get(s.name, s.vectors)
                    needed[s.name] = tuple(map(max, s.vectors, held))
        return _with(stages, needed)
    links = make_links(stages, style, pace=interval(stages), unlimited=True)
    stuck = run_links(links, _FRAMES)
    assert not stuck, f"deadlock in the cycle model at {stuck}"
    needed = {}
    for link in links:
        if link.consumer is not None and isinstance(link.consumer.schedule, ForkSchedule):
            fork = link.consumer.schedule.stage
            needed[fork.name] = tuple(_held(link, out, fork) for out in link.consumer.outputs)
    found = _with(stages, needed)
    return _lowered(found, style) if sum(link.vectors for link in links) <= _QUICK else found


def _with(stages: tuple[Stage, ...], held: Mapping[str, tuple[int, ...]]) -> tuple[Stage, ...]:
    """The same stages, these forks holding so many vectors."""
    return tuple(
        replace(s, vectors=held[s.name]) if isinstance(s, Fork) and s.name in held else s
        for s in stages
    )


def _lowered(stages: tuple[Stage, ...], style: int) -> tuple[Stage, ...]:
    """The same stages, each branch with the least room that keeps the rate, one after another."""
    for name, first in [(s.name, s.vectors) for s in stages if isinstance(s, Fork)]:
        held = first
        for branch, enough in enumerate(first):
            low, high = 1, enough  # low is no FIFO, high keeps the rate
            while high - low > 1:
                middle = (low + high) // 2
                trial = _with(stages, {name: _put(held, branch, middle)})
                low, high = (low, middle) if _keeps_rate(trial, style) else (middle, high)
            held = _put(held, branch, high)
            stages = _with(stages, {name: held})
    return stages


def _put(held: tuple[int, ...], branch: int, vectors: int) -> tuple[int, ...]:
    return (*held[:branch], vectors, *held[branch + 1 :])


def _keeps_rate(stages: tuple[Stage, ...], style: int) -> bool:
    """No deadlock, and by the last frames one follows another every interval."""
    links = make_links(stages, style)
    if run_links(links, _FRAMES + 1):
        return False
    last = next(link for link in links if link.consumer is None)
    ends = [last.times[last.vectors * (frame + 1) - 1] for frame in range(_FRAMES + 1)]
    return ends[-1] - ends[-2] == interval(stages)


def _held(link: Link, out: Link, fork: Fork) -> int:
    """Least V with accepted(v) >= taken(v - V) + beats for all v, which is bf_fork's condition."""
    accepted, taken = np.array(link.accepted), np.array(out.times)
    gone = np.searchsorted(taken, accepted - fork.beats, side="right")
    return max(2, int((np.arange(len(accepted)) - gone).max()) + 1)
