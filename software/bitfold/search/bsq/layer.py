"""One layer in bit planes: its parameters, its integers, and their re-quantisation.

BSQ, as the authors' code has it. Re-quantisation: codes are rounded as the forward pass rounds them
and written back as exact bits; one that overflowed takes a plane more, up to the number of planes;
top planes without a digit go, then bottom ones, each of which doubles the step. A layer keeps one
plane even when its weights are all zero, and may grow again. The weights do not change.
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bitfold.quant import Layer
from bitfold.quant.lsq import LEAST_STEP
from bitfold.search.bsq.planes import BitPlanes, compose, digits
from bitfold.search.codes import finer, strip

MOST_BIT = 2.0  # in training; above 1 is how a layer asks for one plane more
_PATH = "parametrizations.weight.original"  # torch's names: 0 W_p, 1 W_n, 2 step


@final
class PlanedLayer:
    """Puts the weight of a plain layer of `model` into bit planes, and holds the handles."""

    def __init__(self, model: nn.Module, layer: Layer, planes: int) -> None:
        self.layer, self.module = layer, model.get_submodule(layer.name)
        self.form = BitPlanes(planes)
        weight = self.module.get_parameter("weight").detach()
        self.rms = weight.square().mean().sqrt().item()  # of the weight that it started from
        parametrize.register_parametrization(self.module, "weight", self.form)

    @property
    def positive(self) -> nn.Parameter:
        """W_p. Shape (planes, *weight)."""
        return self._parameter(0)

    @property
    def negative(self) -> nn.Parameter:
        """W_n. Shape (planes, *weight)."""
        return self._parameter(1)

    @property
    def step(self) -> nn.Parameter:
        """Value of the lowest bit. Shape ()."""
        return self._parameter(2)

    def _parameter(self, index: int) -> nn.Parameter:
        parameter = self.module.get_parameter(f"{_PATH}{index}")
        assert isinstance(parameter, nn.Parameter)
        return parameter

    @property
    def bits(self) -> int:
        """Magnitude bits in use, n; stored with their sign they take n + 1."""
        return int(self.form.bits)

    @torch.no_grad()
    def weight(self) -> Tensor:
        """The weight, on the grid of the step."""
        return self.form.forward(self.positive, self.negative, self.step)

    @torch.no_grad()
    def codes(self) -> Tensor:
        """The integers that the forward pass multiplies by the step. int64, the weight's shape."""
        most = 2**self.form.planes - 1
        composed = compose(self.positive, self.negative, self.form.powers)
        return composed.round_().clamp_(-most, most).long()

    @torch.no_grad()
    def clamp(self) -> None:
        """After a step: bits into 0..2, and the step stays positive. Nothing else of the layer."""
        self.positive.clamp_(0, MOST_BIT)
        self.negative.clamp_(0, MOST_BIT)
        self.step.clamp_(min=LEAST_STEP)

    def needed(self) -> int:
        """Magnitude bits that `requantise` would leave now."""
        return strip(self.codes()).bits

    @torch.no_grad()
    def requantise(self) -> None:
        """Exact bits again, without the planes that no weight needs."""
        found = strip(self.codes())
        positive, negative = digits(found.whole, self.form.planes)
        self.positive.copy_(positive)
        self.negative.copy_(negative)
        self.step.mul_(2.0**found.shift)
        self.form.use(found.bits)

    def step_at(self, w_bits: int) -> float:
        """Step at which `w_bits`, sign included, take up the weights; no finer than one can be."""
        return finer(self.step.item(), w_bits - 1 - self.bits)

    def remove(self) -> None:
        """Leave a plain layer; its weights stay as they are, on the grid."""
        with torch.enable_grad():  # else what is left is no parameter
            parametrize.remove_parametrizations(self.module, "weight", leave_parametrized=True)
