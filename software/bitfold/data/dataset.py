"""The value that all loaders give: three splits of images and labels."""

from dataclasses import dataclass
from typing import final

from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Images x (N, C, H, W), float32 in [0, 1]; labels y (N,), int64."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class DataSet:
    """Train, validation and test are disjoint and always the same for a data set."""

    name: str
    classes: int
    train: Split
    validation: Split
    test: Split

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        _, c, h, w = self.train.x.shape
        return c, h, w
