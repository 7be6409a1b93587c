"""Which memories a stage has; see `ram` for what becomes of each."""

from functools import singledispatch
from math import ceil

from bitfold.cost.ram import Memory
from bitfold.cost.schedule_mvtu import held_vectors
from bitfold.cost.stages import AxisIn, AxisOut, Fork, Gather, Join, Pad, Pool, Upscale, Window
from bitfold.cost.units import ModeControl, Mvtu, Vvau


@singledispatch
def memories(stage: object) -> tuple[Memory, ...]:
    """Memories of a stage."""
    raise TypeError(f"no memory formula for {type(stage).__name__}")


@memories.register
def _(stage: AxisIn) -> tuple[Memory, ...]:
    return ()


@memories.register
def _(stage: Window) -> tuple[Memory, ...]:
    depth = stage.rows * stage.width * stage.beats
    return (Memory(depth=depth, width=stage.group, writable=True),)


def _words(count: int, stage: Mvtu | Vvau) -> int:
    """Words of a table with `count` for a mode: each mode has a place in every group of them."""
    modes = len(stage.modes.kept) if stage.modes else 1
    return (count - 1) * (1 << (modes - 1).bit_length()) + modes


@memories.register
def _(stage: Mvtu) -> tuple[Memory, ...]:
    fold = stage.folding
    af, wf = ceil(stage.planes / fold.ap), ceil(stage.w_planes / fold.wp)
    lanes = max(stage.group_in, fold.simd)
    weights = Memory(
        depth=stage.nf * wf * stage.sf, width=fold.pe * fold.simd * fold.wp, writable=False
    )
    vectors = Memory(
        depth=2 * (stage.inputs // lanes) * af,
        width=lanes * fold.ap,
        writable=True,
        enables=lanes // stage.group_in * fold.ap,
    )
    word = fold.pe * stage.acc_width if stage.final else stage.tpe
    results = Memory(
        depth=held_vectors(stage, 0) * stage.out_beats, width=word, writable=True, sync=False
    )
    if stage.final:
        biases = Memory(depth=_words(stage.nf, stage), width=word, writable=False, sync=False)
        return (weights, vectors, results, biases) if stage.bias else (weights, vectors, results)
    if stage.raw:
        return weights, vectors, results
    return weights, vectors, results, _thresholds(stage, stage.nf * (fold.pe // stage.tpe))


@memories.register
def _(stage: Vvau) -> tuple[Memory, ...]:
    words = 1 << (max(1, (stage.groups - 1).bit_length()) + 1)
    sums = Memory(
        depth=words, width=stage.group * stage.acc_width, writable=True, sync=False, count=2
    )
    word = stage.group * stage.acc_width if stage.final else stage.tpe
    results = Memory(
        depth=held_vectors(stage, 0) * stage.out_beats, width=word, writable=True, sync=False
    )
    kept = [sums, results]
    if stage.w_kind:
        width = stage.w_bits * (stage.group if stage.w_kind == 2 else 1)
        kept.append(Memory(depth=stage.weight_words, width=width, writable=False))
    if stage.final:
        depth = _words(stage.groups, stage)
        return (*kept, Memory(depth=depth, width=word, writable=False, sync=False))
    if stage.raw:
        return tuple(kept)
    return (*kept, _thresholds(stage, stage.groups * (stage.group // stage.tpe)))


def _thresholds(stage: Mvtu | Vvau, groups: int) -> Memory:
    """Of all comparators or dividers, of which each serves `groups` channels."""
    words = _words(1 if stage.one_table else groups, stage)
    if stage.divider is not None:
        width = stage.divider.width + stage.divider.slope_bits
        return Memory(depth=words, width=width, writable=False, count=stage.tpe)
    flips = int(stage.modes is not None and stage.modes.flips)
    width, copies = stage.acc_width + 1, 0
    if stage.threshold_range is not None:
        least, greatest = stage.threshold_range
        used = max(greatest, -1 - least).bit_length()
        if least < 0:
            copies = width - used - 1  # of the sign
        else:
            width = max(used, 1)  # synthesis drops columns of zeros
    return Memory(
        depth=words << stage.out_bits,
        width=width + flips,
        writable=False,
        count=stage.tpe,
        copies=copies,
        searched=True,
    )


@memories.register
def _(stage: Fork) -> tuple[Memory, ...]:
    return tuple(
        Memory(depth=held * stage.beats, width=stage.width, writable=True, sync=False)
        for held in stage.vectors
    )


@memories.register
def _(stage: Join) -> tuple[Memory, ...]:
    return (Memory(depth=2 * sum(stage.beats), width=stage.width, writable=True, sync=False),)


@memories.register
def _(stage: Pool) -> tuple[Memory, ...]:
    greatest = Memory(depth=stage.beats, width=stage.group, writable=True, sync=False, single=True)
    return greatest, Memory(depth=2 * stage.beats, width=stage.group, writable=True, sync=False)


@memories.register
def _(stage: Pad) -> tuple[Memory, ...]:
    return (Memory(depth=2 * stage.beats, width=stage.group, writable=True, sync=False),)


@memories.register
def _(stage: Upscale) -> tuple[Memory, ...]:
    return (Memory(depth=2 * stage.width * stage.beats, width=stage.group, writable=True),)


@memories.register
def _(stage: Gather) -> tuple[Memory, ...]:
    width = stage.group * stage.width
    return (Memory(depth=2 * stage.words, width=width, writable=True, sync=False),)


@memories.register
def _(stage: ModeControl) -> tuple[Memory, ...]:
    return ()


@memories.register
def _(stage: AxisOut) -> tuple[Memory, ...]:
    return ()
