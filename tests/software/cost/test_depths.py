"""FIFOs of forks: deep enough for the full rate, and not much deeper."""

from dataclasses import replace

import pytest

from bitfold.compiler.lower import lower
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.plan import plan
from bitfold.cost import interval
from bitfold.cost.depths import with_depths
from bitfold.cost.schedule import frame_times
from bitfold.cost.stages import Fork, Stage
from branch_graphs import GRAPHS
from random_graphs import random_graph

FRAMES = 6


def stages_of(name: str, fps: float) -> tuple[Stage, ...]:
    graph = run_pipeline(GRAPHS[name]())
    return plan(graph, lower(graph), fps=fps, luts=None, target="ecp5", clock_mhz=50.0)


def reached(stages: tuple[Stage, ...]) -> int:
    """Cycles between the last two frames."""
    return frame_times(stages, FRAMES)[-1].interval


def with_branch(stages: tuple[Stage, ...], fork: str, branch: int, held: int) -> tuple[Stage, ...]:
    """The same with other room in one branch."""
    changed = []
    for stage in stages:
        if isinstance(stage, Fork) and stage.name == fork:
            vectors = list(stage.vectors)
            vectors[branch] = held
            changed.append(replace(stage, vectors=tuple(vectors)))
        else:
            changed.append(stage)
    return tuple(changed)


def works(stages: tuple[Stage, ...]) -> bool:
    """No deadlock, and the full rate."""
    try:
        return reached(stages) == interval(stages)
    except AssertionError:
        return False


@pytest.mark.parametrize("name", list(GRAPHS))
@pytest.mark.parametrize("fps", [1_000, 20_000])
def test_full_rate_and_at_most_twice_the_room_that_is_needed(name: str, fps: float) -> None:
    stages = stages_of(name, fps)
    assert reached(stages) == interval(stages)
    for fork in (s for s in stages if isinstance(s, Fork)):
        for branch, held in enumerate(fork.vectors):
            low, high = 1, held  # low is too little, high is enough
            while high - low > 1:
                middle = (low + high) // 2
                if works(with_branch(stages, fork.name, branch, middle)):
                    high = middle
                else:
                    low = middle
            assert held <= 2 * high, (fork.name, branch, held, high)


def test_a_branch_without_room_stops_the_accelerator() -> None:
    """What the depths prevent: with two vectors the shortcut holds up its own block."""
    stages = stages_of("residual", 20_000)
    forks = [s for s in stages if isinstance(s, Fork)]
    longest = max(forks, key=lambda s: max(s.vectors))
    branch = longest.vectors.index(max(longest.vectors))
    with pytest.raises(AssertionError, match="deadlock"):
        reached(with_branch(stages, longest.name, branch, 2))


def test_stages_without_forks_stay_as_they_are() -> None:
    stages = tuple(s for s in stages_of("residual", 1_000)[:2])
    assert with_depths(stages, 0) is stages


def test_a_stage_fills_its_own_buffers_while_its_reader_waits_for_another_branch() -> None:
    """Random network 205: the shortcut's requantiser starts vectors whose results nobody takes yet;
    were it thought to wait, its fork would look full and the other branch starved."""
    graph = run_pipeline(random_graph(205))
    stages = plan(graph, lower(graph), fps=300, luts=None, target="ecp5", clock_mhz=50.0)
    assert reached(stages) == interval(stages)
