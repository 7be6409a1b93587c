"""Layers in planes that the tests share."""

import torch
from torch import Tensor, nn

from bitfold.quant import trace
from bitfold.search.bsq.layer import PlanedLayer

from ..nets import SHAPE, net

PLANES = 7
MOST = 2**PLANES - 1


def planed(index: int = 1, seed: int = 0) -> tuple[nn.Module, PlanedLayer]:
    """A network and one of its layers in planes; the second is 8 x 8 x 3 x 3 before a norm."""
    model = net(seed)
    return model, PlanedLayer(model, trace(model, SHAPE)[index], PLANES)


def put(layer: PlanedLayer, positive: Tensor, negative: Tensor, bits: int) -> None:
    """Fill the planes; shapes as theirs or broadcast to it."""
    with torch.no_grad():
        layer.positive.copy_(positive)
        layer.negative.copy_(negative)
    layer.form.use(bits)


def put_codes(layer: PlanedLayer, codes: list[int], bits: int) -> None:
    """Exact planes of `codes`, repeated over the weight."""
    shape = layer.positive.shape[1:]
    whole = torch.tensor(codes).repeat(shape.numel())[: shape.numel()].reshape(shape)
    places = torch.arange(PLANES).reshape(-1, *[1] * whole.ndim)
    found = (whole.abs() >> places) & 1
    put(layer, found * (whole > 0), found * (whole < 0), bits)
