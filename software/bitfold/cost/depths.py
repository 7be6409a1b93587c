"""How many vectors the FIFOs of forks must hold, so that branches never stop each other.

Frames are fed one an interval to an accelerator whose forks never fill. What a branch then holds at
most is what it needs: with FIFOs of that depth the same times are possible, and since every stage
only ever waits for a maximum of earlier times, an accelerator that is fed as fast as it can take is
never later. So it runs at the full rate, and it cannot lock up.
"""

from dataclasses import replace

import numpy as np

from bitfold.cost.interval import interval
from bitfold.cost.schedule import run_links
from bitfold.cost.schedule_branches import ForkSchedule
from bitfold.cost.servers import Link, make_links
from bitfold.cost.stages import Fork, Stage

_FRAMES = 3  # the first starts an empty accelerator; by the third all frames are alike


def with_depths(stages: tuple[Stage, ...], style: int) -> tuple[Stage, ...]:
    """The same stages, each fork with the vectors that its branches need, at least 2.

    style: of the popcounts, decides their latency.
    """
    if not any(isinstance(stage, Fork) for stage in stages):
        return stages
    links = make_links(stages, style, pace=interval(stages), unlimited=True)
    run_links(links, _FRAMES)
    needed: dict[str, tuple[int, ...]] = {}
    for link in links:
        if link.consumer is not None and isinstance(link.consumer.schedule, ForkSchedule):
            fork = link.consumer.schedule.stage
            needed[fork.name] = tuple(_held(link, out, fork) for out in link.consumer.outputs)
    return tuple(replace(s, vectors=needed[s.name]) if isinstance(s, Fork) else s for s in stages)


def _held(link: Link, out: Link, fork: Fork) -> int:
    """Least V with accepted(v) >= taken(v - V) + beats for all v, which is bf_fork's condition."""
    accepted, taken = np.array(link.accepted), np.array(out.times)
    gone = np.searchsorted(taken, accepted - fork.beats, side="right")
    return max(2, int((np.arange(len(accepted)) - gone).max()) + 1)
