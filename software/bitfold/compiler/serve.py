"""One accelerator for several precision modes: what of each layer is the mode's own.

Every stream keeps its width and length; what a layer saves is cycles of its product, by leaving
planes out. `mode_layers` says which, and what the thresholds behind it are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import final

from bitfold.compiler.layers import ChannelLayer, Layer, LayerModes, LinearLayer, Summing, acc_width
from bitfold.compiler.mode_layers import Lowered, ModeWalk, Part
from bitfold.errors import UnsupportedOp
from bitfold.ir import IntType


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Served:
    """Layers that do every mode, and by which power of two the integers at both ends are greater
    than those of a mode's graph; of the input the planes below do not count."""

    layers: tuple[Layer, ...]
    input_shifts: tuple[int, ...]
    output_shifts: tuple[int, ...]


def serve(stored: Lowered, modes: Sequence[Lowered], *, free: bool = False) -> Served:
    """The layers of `stored` with what each of `modes` needs of them.

    All were lowered with flips kept. free: the host may choose planes layer by layer, each of those
    that some mode has for it; the modes are the stored network with planes masked.
    Raises: UnsupportedOp naming mode and layer where a mode is no truncation of the stored network.
    """
    walks = [ModeWalk(stored, mode, free) for mode in modes]
    served: list[Layer] = []
    for index, layer in enumerate(stored.layers):
        parts = [walk.part(index) for walk in walks]
        if isinstance(layer, LinearLayer | ChannelLayer):
            served.append(_with_modes(layer, parts))
        else:
            served.append(layer)
    if free:
        served = [_chosen(layer, _owners(served)) for layer in served]
    return Served(
        layers=tuple(served),
        input_shifts=tuple(walk.shifts["input"] for walk in walks),
        output_shifts=tuple(walk.shifts[stored.layers[-1].name] for walk in walks),
    )


def _with_modes(layer: Summing, found: Iterable[Part | None]) -> Summing:
    """The layer with the parts of all modes; without modes where they are all the same."""
    parts = [part for part in found if part is not None]
    low = min(part.acc[0] for part in parts)
    high = max(part.acc[1] for part in parts)
    acc = IntType.holding(min(low, layer.acc.min), max(high, layer.acc.max), layer.acc.shape)
    if layer.raw and acc_width(acc) != acc_width(layer.acc):
        raise UnsupportedOp(
            f"layer {layer.name!r}: sums of truncated weights take {acc_width(acc)} bits, stored "
            f"ones {acc_width(layer.acc)}, and several quantisers read them; keep its weights"
        )
    thresholds = [part.thresholds for part in parts if part.thresholds is not None]
    flips = [part.flips for part in parts if part.flips is not None]
    biases = [part.bias for part in parts if part.bias is not None]
    modes = LayerModes(
        kept=tuple(part.kept for part in parts),
        thresholds=tuple(thresholds) or None,
        flips=tuple(flips) if any(each.any() for each in flips) else None,
        biases=tuple(biases) or None,
        own=parts[0].own,
    )
    return replace(layer, acc=layer.acc if layer.raw else acc, modes=modes)


def _owners(layers: Sequence[Layer]) -> list[str]:
    """Layers whose planes can be chosen."""
    units = [layer for layer in layers if isinstance(layer, LinearLayer | ChannelLayer)]
    return [unit.name for unit in units if unit.modes and unit.modes.own == unit.name]


def _chosen(layer: Layer, owners: Sequence[str]) -> Layer:
    """A layer that no choice of planes changes needs no modes, but where codes are inverted: only
    units with modes do that, and any layer's choice is as good as another then."""
    if not isinstance(layer, LinearLayer | ChannelLayer) or not layer.modes or layer.modes.own:
        return layer
    if layer.modes.flips is None:
        return replace(layer, modes=None)
    return replace(layer, modes=replace(layer.modes, own=owners[0])) if owners else layer
