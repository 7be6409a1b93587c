"""The foldings of one layer behind streams of one group, enumerated once and priced when asked.

A bisection asks for the best folding of every layer hundreds of times, for another interval each
time; what fits an interval is then a comparison of arrays.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.layers import ChannelLayer, ConcatLayer, Layer, LinearLayer, MoveLayer
from bitfold.compiler.stages import LayerFolding
from bitfold.cost import Folding
from bitfold.cost.shape import divisors
from bitfold.ir.ops import DepthToSpace

MAX_LANES = 4096  # of one layer; beyond, one popcount no longer closes timing
_ENOUGH = 8  # times faster than wanted: more inputs a cycle only cost
_FEW = 16  # lanes: up to here more of them can cost less than the addresses of more words


class Priced(Protocol):
    """What a folding takes: cycles of its slowest stage, LUTs, block RAMs."""

    @property
    def cycles(self) -> int:
        """Of the slowest stage."""

    @property
    def luts(self) -> float:
        """Of all stages."""

    @property
    def brams(self) -> float:
        """Of all stages."""


@final
@dataclass(frozen=True)
class _Choice:
    """busy: cycles of its products. less: those of the same folding with the next fewer inputs a
    cycle, infinite where there is none or where lanes are few."""

    how: LayerFolding | None
    busy: float = 0.0
    less: float = np.inf


@final
class Menu:
    """All foldings of a layer behind streams of `group`: `foldings`, at any pace."""

    def __init__(self, layer: Layer, group: int) -> None:
        choices = tuple(_choices(layer, group))
        self.foldings = tuple(choice.how for choice in choices)
        sends = [group if how is None else how.tpe for how in self.foldings]
        self._sends = np.array(sends, np.int64)
        self._busy = np.array([choice.busy for choice in choices])
        self._less = np.array([choice.less for choice in choices])
        self._priced = np.zeros(len(choices), np.bool_)
        self._cycles, self._luts, self._brams = (np.zeros(len(choices)) for _ in range(3))

    def best(
        self, cycles: int, bram_price: float, price: Callable[[LayerFolding | None], Priced]
    ) -> Iterator[tuple[int, float, LayerFolding | None]]:
        """For each group that the layer can send at no more than `cycles` a frame: that group, the
        least cost in LUTs, of which a block RAM is worth `bram_price`, and the first folding of
        that cost. In the order in which the groups are first met."""
        fit = (self._busy <= cycles) & (self._less * _ENOUGH >= cycles)
        self._ask(np.flatnonzero(fit & ~self._priced), price)
        found = np.flatnonzero(fit & (self._cycles <= cycles))
        cost = self._luts[found] + bram_price * self._brams[found]
        sends = self._sends[found]
        groups, first = np.unique(sends, return_index=True)
        for group in groups[np.argsort(first)]:
            same = np.flatnonzero(sends == group)
            least = same[np.argmin(cost[same])]
            yield int(group), float(cost[least]), self.foldings[found[least]]

    def _ask(
        self, places: NDArray[np.int64], price: Callable[[LayerFolding | None], Priced]
    ) -> None:
        for place in places:
            found = price(self.foldings[place])
            self._cycles[place] = found.cycles
            self._luts[place], self._brams[place] = found.luts, found.brams
        self._priced[places] = True


def _choices(layer: Layer, group: int) -> Iterator[_Choice]:
    match layer:
        case LinearLayer():
            yield from _products(layer, group)
        case ChannelLayer():
            shares = layer.thresholds is not None or layer.raw
            for tpe in divisors(group) if shares else (group,):
                yield _Choice(LayerFolding(folding=None, tpe=tpe))
        case ConcatLayer():
            if all(part.channels % group == 0 for part in layer.parts):
                yield _Choice(None)
        case MoveLayer(op=DepthToSpace() as op) if op.block > 1:
            if group == 1 or (op.mode == "DCR" and layer.out.channels % group == 0):
                yield _Choice(None)
        case _:
            yield _Choice(None)


def _products(layer: LinearLayer, group: int) -> Iterator[_Choice]:
    """Foldings of products, also with fewer blocks than the convolution has groups."""
    shares = layer.thresholds is not None or layer.raw
    kept = layer.modes.kept if layer.modes else ((layer.w_bits, layer.x.bits),)
    # Planes are left out in whole groups.
    for wp in divisors(gcd(layer.w_bits, *(w for w, _ in kept))):
        for ap in divisors(gcd(layer.x.bits, *(a for _, a in kept))):
            steps = max((w // wp) * (a // ap) for w, a in kept)
            for blocks in divisors(layer.groups):
                for pe, simd, busy, less in _sides(layer, group, blocks, steps):
                    folding = Folding(pe=pe, simd=simd, wp=wp, ap=ap)
                    if folding.lanes <= MAX_LANES:
                        for tpe in divisors(pe) if shares else (pe,):
                            how = LayerFolding(folding=folding, tpe=tpe, blocks=blocks)
                            yield _Choice(how, busy, less)


def _sides(
    layer: LinearLayer, group: int, blocks: int, steps: int
) -> Iterator[tuple[int, int, float, float]]:
    """PE and SIMD that streams of `group` allow, and what `_Choice` says of their pace.

    A block's words must be its own, in the stream as well as in the buffer.
    """
    outputs, inputs = (side // blocks for side in layer.matrix.shape)
    own = layer.x.channels // blocks if blocks > 1 else inputs  # that lie together
    if own % group and blocks > 1:
        return
    for pe in divisors(outputs):
        less = np.inf
        for simd in divisors(own):
            if simd % group and group % simd:
                continue
            busy = layer.pixels * blocks * (outputs // pe) * (inputs // simd) * steps
            yield pe, simd, busy, less
            less = busy if pe * simd >= _FEW else np.inf
