"""BatchNorm with one copy per bit-width ("switchable"), as joint training at many bits needs."""

import copy
from collections.abc import Sequence
from typing import final

from torch import Tensor, nn


@final
class SwitchableNorm(nn.Module):
    """Copies of one BatchNorm, of which `select` makes one current. Shapes as the BatchNorm's."""

    def __init__(self, norm: nn.Module, bits: Sequence[int]) -> None:
        super().__init__()
        self.bits = tuple(bits)
        self.index = 0
        self.copies = nn.ModuleList(copy.deepcopy(norm) for _ in self.bits)

    def select(self, bits: int) -> None:
        """Use the copy of `bits` from now on."""
        self.index = self.bits.index(bits)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x by the current copy."""
        result: Tensor = self.copies[self.index](x)
        return result
