"""The order in which a matrix-vector unit walks over pairs of bit-plane groups."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Step:
    """Activation plane group, weight plane group (0 = most significant), and what to do with them.

    shift: the accumulator is shifted left by it before the step's first product.
    """

    ag: int
    wg: int
    shift: int
    act_sign: bool
    weight_sign: bool


def step_table(
    planes: int, w_planes: int, ap: int, wp: int, *, act_signed: bool, weight_signed: bool
) -> tuple[Step, ...]:
    """Steps in descending order of the exponent of their product's least significant bit.

    act_signed, weight_signed: two's complement; False for unsigned and for bipolar.
    """
    af, wf = -(-planes // ap), -(-w_planes // wp)
    assert max(af, wf) <= 256, (af, wf)  # a byte each in the packed table
    pairs = sorted(
        ((af - 1 - ag) * ap + (wf - 1 - wg) * wp, ag, wg) for ag in range(af) for wg in range(wf)
    )[::-1]
    steps = []
    before = pairs[0][0]
    for exponent, ag, wg in pairs:
        steps.append(
            Step(
                ag=ag,
                wg=wg,
                shift=before - exponent,
                act_sign=act_signed and ag == 0,
                weight_sign=weight_signed and wg == 0,
            )
        )
        before = exponent
    return tuple(steps)


def mode_steps(
    kept: Sequence[tuple[int, int]], ap: int, wp: int, *, act_signed: bool, weight_signed: bool
) -> tuple[tuple[Step, ...], tuple[tuple[int, int], ...]]:
    """The steps of several modes, one table, and the first and last step of each mode in it.

    kept: planes of the weights and of the activations in each mode. The planes left out are the
    least significant ones, whole groups of them: numbers of groups count from the top.
    """
    table: list[Step] = []
    places: dict[tuple[int, int], tuple[int, int]] = {}
    for w_planes, planes in kept:
        if (w_planes, planes) not in places:
            steps = step_table(
                planes, w_planes, ap, wp, act_signed=act_signed, weight_signed=weight_signed
            )
            places[w_planes, planes] = (len(table), len(table) + len(steps) - 1)
            table += steps
    return tuple(table), tuple(places[each] for each in kept)


def pack_mode_steps(places: Sequence[tuple[int, int]]) -> int:
    """The parameter ModeSteps: 32 bits a mode, mode 0 lowest: [15:0] first, [31:16] last step."""
    return sum((first | last << 16) << 32 * m for m, (first, last) in enumerate(places))


def pack_steps(steps: tuple[Step, ...]) -> int:
    """The parameter Steps of bf_mvu_seq: 32 bits a step, step 0 lowest.

    [7:0] ag, [15:8] wg, [23:16] shift, [24] act_sign, [25] weight_sign.
    """
    return sum(
        (s.ag | s.wg << 8 | s.shift << 16 | s.act_sign << 24 | s.weight_sign << 25) << 32 * i
        for i, s in enumerate(steps)
    )


@final
@dataclass(frozen=True, kw_only=True)
class Issue:
    """One product word: what bf_mvu_seq puts out in a cycle."""

    act_addr: int
    act_bank: int
    weight_addr: int
    first: bool
    last: bool
    shift: int
    act_sign: bool
    weight_sign: bool


def issues(
    steps: tuple[Step, ...],
    *,
    folds: int,
    words: int,
    banks: int,
    slot: int,
    blocks: int = 1,
    runs: int = 1,
) -> Iterator[Issue]:
    """The issues of a vector in buffer slot 0 or 1; idle cycles are left out.

    The folds of a block read its part of each of `runs` stretches of the buffer.
    """
    af = 1 + max(s.ag for s in steps)
    wf = 1 + max(s.wg for s in steps)
    run = words // (blocks * runs)
    sf = run * runs * banks
    for nf in range(folds):
        block = nf // (folds // blocks)
        for number, step in enumerate(steps):
            for i in range(sf):
                stretch, word = divmod(i // banks, run)
                place = stretch * (words // runs) + block * run + word
                yield Issue(
                    act_addr=(slot * words + place) * af + step.ag,
                    act_bank=i % banks,
                    weight_addr=(nf * wf + step.wg) * sf + i,
                    first=number == 0 and i == 0,
                    last=number == len(steps) - 1 and i == sf - 1,
                    shift=step.shift if i == 0 else 0,
                    act_sign=step.act_sign,
                    weight_sign=step.weight_sign,
                )
