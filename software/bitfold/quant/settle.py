"""Keep values off rounding boundaries, so that every float evaluation rounds them alike.

A quantised activation is round(z / step), and z is an affine function (BatchNorm) of an integer
accumulator, or a sum or an average of integers on a grid. Where z / step comes within float32
rounding of k + 1/2, two correct evaluations (another order of summation, another form of
BatchNorm, exact integers) may give k and k + 1. The integers are known, so such coincidences can
be seen, and removed by a shift that is far below one level: of the BatchNorm's bias, or of the
step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bitfold.quant.convert import QuantisedLayer
from bitfold.quant.lsq import LEAST_STEP, LSQ, bounds

MARGIN = 1e-6  # of the sum's largest possible value; float32 rounds by 6e-8 of each partial sum
STEP_MARGIN = 5e-7  # of the value: sums on a grid are exact, then come at most three roundings
TRIES = 100  # shifts of one margin each, up and down


@torch.no_grad()
def settle(model: nn.Module, handles: Sequence[QuantisedLayer]) -> float:
    """Shift steps and BatchNorm biases, in place, where a value may round either way.

    `handles` are those of all quantised layers. Returns the largest shift, in activation levels.
    """
    # Steps first: a step is also the unit of the layer's accumulator.
    return max(settle_steps(model, handles), settle_norms(model, handles))


@torch.no_grad()
def settle_steps(model: nn.Module, handles: Sequence[QuantisedLayer]) -> float:
    """The part of `settle` that moves steps, of what reads a sum or an average."""
    largest = 0.0
    for handle in handles:
        layer = handle.layer
        if layer.grid is not None:
            unit = quantiser_of(model, layer.grid).step().double() / layer.averaged
            largest = max(largest, _settle_step(handle.act, unit))
    return largest


@torch.no_grad()
def settle_norms(model: nn.Module, handles: Sequence[QuantisedLayer]) -> float:
    """The part of `settle` that moves BatchNorm biases."""
    largest = 0.0
    for handle in handles:
        layer = handle.layer
        if layer.norm is not None and layer.readers:
            readers = [quantiser_of(model, name) for name in layer.readers]
            norm = model.get_submodule(layer.norm)
            shift = _settle_norm(handle, model.get_submodule(layer.name), norm, readers)
            largest = max(largest, shift)
    return largest


def quantiser_of(model: nn.Module, name: str) -> LSQ:
    """The quantiser that `quantise` put into the activation module `name`."""
    (found,) = [m for m in model.get_submodule(name).modules() if isinstance(m, LSQ)]
    return found


def _settle_step(quantiser: LSQ, unit: Tensor) -> float:
    """Settle the step of what reads multiples of `unit`; return the largest shift, in levels."""
    edges = _edges(quantiser)
    step = quantiser.step()
    tries = _nearest_first(edges.device)
    # In float32, as the step is stored.
    steps = (step * (1 + tries * STEP_MARGIN)).clamp(min=LEAST_STEP).float()
    exact = edges * steps.double()[:, None] / unit
    distance = (exact - exact.round()).abs() * unit / steps.double()[:, None]
    margin = STEP_MARGIN * edges.abs()
    chosen = _first_clear((distance / margin).amin(1))
    shift = float(edges.abs().max() * (steps[chosen] / step - 1).abs())
    quantiser.steps[quantiser.index] = steps[chosen]
    return shift


def _settle_norm(
    handle: QuantisedLayer, layer: nn.Module, norm: nn.Module, readers: Sequence[LSQ]
) -> float:
    """Settle one BatchNorm; return the largest shift, in levels of any of the `readers`."""
    unit = handle.weight.step().double() * handle.act.step().double()
    whole = handle.weight.codes(layer.get_parameter("weight")).double().flatten(1)
    least, most = bounds(handle.act.bits[handle.act.index], signed=handle.act.signed)
    bias = norm.get_parameter("bias")
    mean, var = (norm.get_buffer(name).double() for name in ("running_mean", "running_var"))
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    eps = norm.eps
    gain = norm.get_parameter("weight").double() / torch.sqrt(var + eps)
    # Per channel: value(acc) = slope * acc + start.
    slope, start = gain * unit, bias.double() - mean * gain
    reach = whole.abs().sum(1) * max(most, -least) * slope.abs() + start.abs()
    positive, negative = whole.clamp(min=0).sum(1), whole.clamp(max=0).sum(1)
    ends = torch.stack(
        [negative * most + positive * least, positive * most + negative * least], dim=1
    )
    edges = [_edges(reader) * reader.step().double() for reader in readers]
    margins = torch.stack([MARGIN * (reach + edge.abs().max()) for edge in edges], dim=1)
    shifts = torch.stack(
        [_clear_shift(slope[c], start[c], ends[c], edges, margins[c]) for c in range(len(slope))]
    )
    bias.copy_((bias.double() + shifts).to(bias.dtype))
    return float(shifts.abs().max() / min(reader.step() for reader in readers))


def _clear_shift(
    slope: Tensor, start: Tensor, ends: Tensor, edges: Sequence[Tensor], margins: Tensor
) -> Tensor:
    """Smallest shift of `start` that keeps slope * acc + start clear of all `edges`.

    acc is any integer between the two `ends`. There is one tensor of edges, and one margin, per
    reader. Where no shift is clear, the one that keeps furthest away.
    """
    shifts = _nearest_first(slope.device) * margins.max()
    distances = []
    for edge, margin in zip(edges, margins, strict=True):
        gaps = edge[None, :] - start - shifts[:, None]
        exact = gaps / torch.where(slope == 0, 1.0, slope)
        near = torch.stack([exact.floor(), exact.ceil()]).clamp(ends[0], ends[1])
        distances.append((near * slope - gaps).abs().amin((0, 2)) / margin)
    return shifts[_first_clear(torch.stack(distances).amin(0))]


def _first_clear(distances: Tensor) -> int:
    """The first try at least one margin away, or else the one furthest away. Shape (tries,)."""
    clear = distances >= 1
    return int(clear.int().argmax()) if bool(clear.any()) else int(distances.argmax())


def _nearest_first(device: torch.device) -> Tensor:
    """0, 1, -1, 2, ... up to TRIES both ways."""
    tries = torch.arange(-TRIES, TRIES + 1, dtype=torch.float64, device=device)
    return tries[tries.abs().argsort(stable=True)]


def _edges(quantiser: LSQ) -> Tensor:
    """Where it rounds from one level to the next, in levels."""
    low, high = bounds(quantiser.bits[quantiser.index], signed=quantiser.signed)
    return torch.arange(low, high, dtype=torch.float64, device=quantiser.steps.device) + 0.5
