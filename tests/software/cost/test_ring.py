"""How many frames are inside an accelerator at most."""

import numpy as np

from bitfold.compiler.modes import serve_modes
from bitfold.compiler.plan import plan
from bitfold.cost.ring import MARGIN, frames_held, with_ring
from bitfold.cost.schedule import frame_times
from bitfold.cost.stages import Stage, at_mode
from bitfold.cost.units import Mvtu
from integer_graphs import ChainBuilder, digits_like, mlp
from mode_graphs import modes_of


def planned(graph, skips, fps) -> tuple[Stage, ...]:
    layers, _ = serve_modes(graph, "stored", modes_of(graph, skips))
    return plan(graph, layers, fps=fps, luts=None, brams=None, target="xc7", clock_mhz=50.0)


def chain(layers: int):
    b = ChainBuilder(np.random.default_rng(0))
    b.input((8,), 2)
    for i in range(layers):
        b.dense(f"fc{i}", 8, 2)
        b.thresholds(f"q{i}", 2)
    b.dense("fc", 4, 2)
    return b.graph()


def test_every_layer_of_single_vectors_holds_frames() -> None:
    short, long = (planned(chain(n), [{}, {"fc": 1}], 10_000) for n in (1, 4))
    assert frames_held(long) > frames_held(short) >= 4


def test_a_map_larger_than_the_buffers_lets_few_frames_in() -> None:
    stages = planned(digits_like(), [{}, {"conv2": 1}], 2000)
    assert frames_held(stages) <= 6


def test_the_ring_is_a_power_of_two_above_what_is_held() -> None:
    stages = planned(mlp(), [{}, {"fc1": 1}], 100_000)
    rings = {s.modes.ring for s in stages if isinstance(s, Mvtu) and s.modes}
    (ring,) = rings
    assert ring >= frames_held(stages) + MARGIN > ring // 2
    assert with_ring(stages) == stages
    fixed = tuple(s for s in planned(digits_like(), [{}, {}], 2000))
    assert with_ring(fixed) == fixed


def test_frames_in_turns_take_the_cycles_of_their_modes() -> None:
    stages = planned(digits_like(), [{}, {"conv1": 1, "conv2": 2, "q1": 1, "q2": 1}], 2000)
    slow, fast = (frame_times(stages, 6, 0, (m,) * 6)[-1].interval for m in (0, 1))
    assert slow > fast
    held = tuple(at_mode(s, 1) for s in stages)
    assert frame_times(held, 6)[-1].interval == fast
    mixed = frame_times(stages, 8, 0, (0, 0, 0, 0, 1, 1, 1, 1))[-1].ends
    gaps = np.diff(mixed)
    assert gaps[0] == slow
    assert gaps[-1] == fast
    # A single mode, given or not, is the same run.
    assert frame_times(stages, 6, 0, (0,) * 6) == frame_times(stages, 6)
