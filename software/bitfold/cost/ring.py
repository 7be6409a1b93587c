"""How many frames can be inside an accelerator at once, whatever stalls: the depth of bf_mode_ring.

The sink takes nothing; then what the source can still send is what the stages hold. Only their
capacities decide that, not their times, so it is the same in every mode. One frame more may be
inside where the stall comes at another place of a frame, and one enters.
"""

from dataclasses import replace

from bitfold.cost.luts import Part
from bitfold.cost.servers import make_links
from bitfold.cost.stages import AxisIn, Stage
from bitfold.cost.units import ModeControl, Mvtu, Vvau

MARGIN = 2  # frames


def frames_held(stages: tuple[Stage, ...]) -> int:
    """Frames of which at least one beat has entered when nothing moves any more."""
    links = make_links(stages, 0)
    source, frames = links[0], 4
    while True:
        progress = True
        while progress:
            progress = False
            for link in links:
                blocked = link.consumer is None
                progress |= link.run(0 if blocked else link.vectors * frames)
        held = -(-len(source.times) // source.vectors)
        if held < frames:
            return held
        frames *= 2


def with_ring(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The same stages, those with modes keeping as many as frames can be inside."""
    if not any(isinstance(s, Mvtu | Vvau) and s.modes for s in stages):
        return stages
    ring = 1 << (frames_held(stages) + MARGIN - 1).bit_length()
    return tuple(
        replace(s, modes=replace(s.modes, ring=ring))
        if isinstance(s, Mvtu | Vvau) and s.modes
        else s
        for s in stages
    )


def control_of(stages: tuple[Stage, ...]) -> ModeControl | None:
    """Ring and registers of these stages; None where none has modes."""
    found = [
        (s.name, s.modes)
        for s in stages
        if isinstance(s, Mvtu | Vvau) and s.modes and s.modes.own in {"", s.name}
    ]
    if not found:
        return None
    first = stages[0]
    assert isinstance(first, AxisIn)
    return ModeControl(
        name="modes",
        group=first.group,
        beats=first.beats,
        ring=found[0][1].ring,
        layers=tuple((name, modes.kept) for name, modes in found),
        free=bool(found[0][1].own),
    )


def parts_of(stages: tuple[Stage, ...]) -> tuple[Part, ...]:
    """All that costs something: the stages, and ring and registers where there are modes."""
    control = control_of(stages)
    return stages if control is None else (*stages, control)
