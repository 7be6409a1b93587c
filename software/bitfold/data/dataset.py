"""The value that all loaders give: three splits of images and labels."""

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Images x (N, C, H, W), float32 in [0, 1]; labels y (N,), int64.

    quality (N,), int64: index into the data set's qualities where those are mixed.
    """

    x: Tensor
    y: Tensor
    quality: Tensor | None = None

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> "Split":
        """The same on `device`."""
        quality = None if self.quality is None else self.quality.to(device)
        return Split(self.x.to(device), self.y.to(device), quality)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class DataSet:
    """Train, validation and test are disjoint and always the same for a data set.

    qualities: what the images were corrupted by, where that is mixed.
    """

    name: str
    classes: int
    qualities: tuple[str, ...] = ()
    train: Split
    validation: Split
    test: Split

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        _, c, h, w = self.train.x.shape
        return c, h, w

    def to(self, device: torch.device) -> "DataSet":
        """The same on `device`, where no tensor is copied that is there already."""
        train, validation, test = (s.to(device) for s in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)

    def first(self, count: int) -> "DataSet":
        """The first `count` images of each split."""
        train, validation, test = (
            Split(s.x[:count], s.y[:count]) for s in (self.train, self.validation, self.test)
        )
        return replace(self, train=train, validation=validation, test=test)
