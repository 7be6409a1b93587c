"""Keep accumulators off rounding boundaries, so that every float evaluation rounds them alike.

A quantised activation is round(z / step), and z is an affine function (BatchNorm) of an integer
accumulator. Where z / step comes within float32 rounding of k + 1/2, two correct evaluations
(another order of summation, another form of BatchNorm, exact integers) may give k and k + 1. The
integers are known, so such coincidences can be seen, and removed by a shift of the BatchNorm's
bias that is far below one level.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bitfold.quant.convert import QuantisedLayer
from bitfold.quant.lsq import LSQ, bounds

MARGIN = 1e-6  # of the sum's largest possible value; float32 rounds by 6e-8 of each partial sum
TRIES = 100  # shifts of one margin each, up and down


@torch.no_grad()
def settle(model: nn.Module, handles: Sequence[QuantisedLayer]) -> float:
    """Shift BatchNorm biases, in place, where an accumulator may round either way.

    `handles` are those of all quantised layers. Returns the largest shift, in activation levels.
    """
    quantisers = {handle.layer.feeder: handle.act for handle in handles}
    largest = 0.0
    for handle in handles:
        norm, follower = handle.layer.norm, handle.layer.follower
        if norm is not None and follower in quantisers:
            layer = model.get_submodule(handle.layer.name)
            shift = _settle_norm(handle, layer, model.get_submodule(norm), quantisers[follower])
            largest = max(largest, shift)
    return largest


def _settle_norm(handle: QuantisedLayer, layer: nn.Module, norm: nn.Module, after: LSQ) -> float:
    """Settle one BatchNorm; return the largest shift, in levels of `after`."""
    step = after.step().double()
    unit = handle.weight.step().double() * handle.act.step().double()
    weight = layer.get_parameter("weight").double() / handle.weight.step().double()
    low, high = bounds(handle.weight.bits[handle.weight.index], signed=True)
    whole = weight.round().clamp(low, high).flatten(1)
    most = bounds(handle.act.bits[handle.act.index], signed=False)[1]
    bias = norm.get_parameter("bias")
    mean, var = (norm.get_buffer(name).double() for name in ("running_mean", "running_var"))
    eps = float(norm.eps)  # type: ignore[arg-type]
    gain = norm.get_parameter("weight").double() / torch.sqrt(var + eps)
    # Per channel, in levels: value(acc) = slope * acc + start + bias / step.
    slope, start = gain * unit / step, -mean * gain / step
    reach = whole.abs().sum(1) * most * slope.abs()
    _, top = bounds(after.bits[after.index], signed=False)
    start = start + bias.double() / step
    margin = MARGIN * (reach + start.abs() + top)
    negative, positive = whole.clamp(max=0).sum(1) * most, whole.clamp(min=0).sum(1) * most
    shifts = torch.stack(
        [
            _clear_shift(slope[c], start[c], negative[c], positive[c], top, margin[c])
            for c in range(len(slope))
        ]
    )
    bias.copy_((bias.double() + shifts * step).to(bias.dtype))
    return float(shifts.abs().max())


def _clear_shift(  # noqa: PLR0917  # one channel's scalars, in the order of the formula
    slope: Tensor, start: Tensor, least: Tensor, most: Tensor, top: int, margin: Tensor
) -> Tensor:
    """Smallest shift of `start` that keeps slope * acc + start clear of every k + 1/2.

    acc is any integer in least..most, k = 0..top-1, clear means `margin` away. Where no shift is,
    the one that keeps furthest away.
    """
    tries = torch.arange(-TRIES, TRIES + 1, dtype=torch.float64, device=slope.device)
    shifts = tries[tries.abs().argsort(stable=True)] * margin
    edges = torch.arange(top, dtype=torch.float64, device=slope.device) + 0.5
    gaps = edges[None, :] - start - shifts[:, None]
    exact = gaps / torch.where(slope == 0, 1.0, slope)
    near = torch.stack([exact.floor(), exact.ceil()]).clamp(least, most)
    distance = (near * slope - gaps).abs().amin((0, 2))
    clear = distance >= margin
    return shifts[int(clear.int().argmax()) if bool(clear.any()) else int(distance.argmax())]
