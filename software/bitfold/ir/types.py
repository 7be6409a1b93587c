"""Types of integer tensors. Shapes leave the batch out: (C, H, W) or (K,)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MOST_BITS = 1 << 12  # far beyond any network's; a damaged file may state what fills the memory


@final
@dataclass(frozen=True, kw_only=True)
class IntType:
    """A tensor of integers: two's complement or unsigned of `bits` bits, or bipolar (-1, +1)."""

    shape: tuple[int, ...]
    bits: int
    signed: bool
    bipolar: bool = False

    def __post_init__(self) -> None:
        assert 1 <= self.bits <= MOST_BITS, self
        assert not (self.bipolar and (self.bits != 1 or not self.signed)), self

    @property
    def min(self) -> int:
        """Least value the type holds."""
        if self.bipolar:
            return -1
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Greatest value the type holds."""
        if self.bipolar:
            return 1
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def channels(self) -> int:
        """Size of the channel axis, the first."""
        return self.shape[0]

    @staticmethod
    def holding(low: int, high: int, shape: tuple[int, ...]) -> "IntType":
        """The smallest type that holds low..high; signed if low is negative."""
        assert low <= high, (low, high)
        if low >= 0:
            return IntType(shape=shape, bits=max(1, high.bit_length()), signed=False)
        bits = 1 + max((-low - 1).bit_length(), max(high, 0).bit_length())
        return IntType(shape=shape, bits=bits, signed=True)

    def __str__(self) -> str:
        name = "bipolar" if self.bipolar else f"{'int' if self.signed else 'uint'}{self.bits}"
        return f"{name}[{', '.join(map(str, self.shape))}]"
