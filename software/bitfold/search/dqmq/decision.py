"""The decision policy: an image's pooled features to the distribution of every layer's bits."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from bitfold.quant import processes

FILTERS = 8  # 3x3, of zero sum at first, so that they see noise and edges, not brightness
HIDDEN = 16
LEAST_SIGMA = 0.25  # bits; keeps the gradient of a decided layer alive
FIRST_SIGMA = 1.0
EPS = 1e-4


@final
class Standardise(nn.Module):
    """Features (N, F) less their mean, over their deviation, both averaged while `learning`.

    Not a BatchNorm: an image's decision must not depend on the others in its batch, nor on what
    re-estimates the network's norms.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.learning = False
        self.count = nn.Buffer(torch.zeros(()))
        self.mean = nn.Buffer(torch.zeros(features))
        self.square = nn.Buffer(torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        """Shape as x."""
        if self.training and self.learning:
            with torch.no_grad():
                self.count.add_(1)
                mean, square = processes.mean(torch.stack([x.mean(0), x.square().mean(0)]))
                self.mean.add_((mean - self.mean) / self.count)
                self.square.add_((square - self.square) / self.count)
        # A copy: the running values may change before the backward pass.
        mean, square = self.mean.clone(), self.square.clone()
        return (x - mean) / ((square - mean.square()).clamp(min=0) + EPS**2).sqrt()


@final
class Decision(nn.Module):
    """log p(bits of layer l | image), one pass ahead of the network.

    For each layer a truncated Gaussian on the bit axis: p(b) ~ exp(-(b - mu)^2 / (2 sigma^2)) over
    the candidates, so that two outputs a layer serve any number of candidates; `categorical` gives
    each candidate its own logit instead. A `blind` policy sees no image: the baseline.
    """

    def __init__(
        self,
        layers: int,
        bits: Sequence[int],
        *,
        categorical: bool = False,
        blind: bool = False,
    ) -> None:
        super().__init__()
        self.layers, self.categorical, self.blind = layers, categorical, blind
        self.bits = nn.Buffer(torch.tensor(bits, dtype=torch.float32), persistent=False)
        self.filters = nn.Conv2d(1, FILTERS, 3, bias=False)
        with torch.no_grad():
            weight = self.filters.weight
            weight -= weight.mean((1, 2, 3), keepdim=True)
        count = 2 + 2 * FILTERS
        self.standardise = Standardise(count)
        outputs = layers * (len(bits) if categorical else 2)
        self.hidden = nn.Linear(count, HIDDEN)
        self.last = nn.Linear(HIDDEN, outputs)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()

    @torch.no_grad()
    def start_at(self, mean: float) -> None:
        """Make the Gaussians' mean `mean` bits, between the candidates' ends, for every image."""
        low, high = float(self.bits[0]), float(self.bits[-1])
        bias = self.last.bias.reshape(self.layers, -1)
        if self.categorical:
            bias.copy_(-((self.bits - mean) ** 2).expand_as(bias) / (2 * FIRST_SIGMA**2))
        else:
            bias[:, 0] = math.log((mean - low) / (high - mean))

    def features(self, x: Tensor) -> Tensor:
        """Mean and deviation of the image; mean size and deviation of each filter's output.

        All channels go through the same filters and count alike, so any number of them will do.
        x (N, C, H, W), at least 3x3 -> (N, F).
        """
        _, channels, height, width = x.shape
        edges = self.filters(x.reshape(-1, 1, height, width))
        # (N, C, filters, pixels) -> (N, filters, C, pixels)
        edges = edges.reshape(-1, channels, FILTERS, (height - 2) * (width - 2)).transpose(1, 2)
        image = x.reshape(-1, 1, channels * height * width)
        edges = edges.reshape(-1, FILTERS, channels * (height - 2) * (width - 2))
        parts = (image.mean(2), _deviation(image), edges.abs().mean(2), _deviation(edges))
        return torch.cat(parts, 1)

    def outputs(self, x: Tensor) -> Tensor:
        """Raw outputs. x (N, C, H, W) -> (N, layers, outputs of a layer)."""
        seen = self.standardise(self.features(x))
        if self.blind:
            seen = seen * 0
        raw: Tensor = self.last(torch.relu(self.hidden(seen)))
        return raw.reshape(-1, self.layers, raw.shape[1] // self.layers)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and sigma of the Gaussians, in bits. Shapes (N, layers)."""
        raw = self.outputs(x)
        low, high = self.bits[0], self.bits[-1]
        mu = low + (high - low) * torch.sigmoid(raw[..., 0])
        start = math.log(math.expm1(FIRST_SIGMA - LEAST_SIGMA))
        return mu, LEAST_SIGMA + softplus(raw[..., 1] + start)

    def forward(self, x: Tensor) -> Tensor:
        """Log probabilities. x (N, C, H, W) -> (N, layers, candidates)."""
        if self.categorical:
            return self.outputs(x).log_softmax(2)
        mu, sigma = self.moments(x)
        distance = (self.bits - mu[..., None]) / sigma[..., None]
        return (-distance.square() / 2).log_softmax(2)


def _deviation(x: Tensor) -> Tensor:
    """Standard deviation over the last axis. (N, F, pixels) -> (N, F)."""
    return ((x - x.mean(2, keepdim=True)).square().mean(2) + EPS**2).sqrt()
