"""What the cost formulas need to know of a layer: its shape, and how it is folded."""

from dataclasses import dataclass
from functools import cache
from typing import final

from bitfold.errors import ConfigError


@final
@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """A convolution or dense layer seen as `pixels` matrix-vector products (outputs x inputs)."""

    name: str
    outputs: int  # MH: output channels
    inputs: int  # MW: kernel_h * kernel_w * input channels of a group
    pixels: int  # output positions of a frame; 1 for a dense layer
    channels: int  # input channels of all groups (= inputs for a dense layer)
    groups: int = 1  # of a convolution; as many as channels where it is depthwise

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a frame."""
        return self.outputs * self.inputs * self.pixels

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.outputs * self.inputs


@final
@dataclass(frozen=True, kw_only=True)
class Folding:
    """How much of a layer is computed in one cycle."""

    pe: int  # outputs; divides MH
    simd: int  # inputs; divides MW
    wp: int = 1  # weight planes
    ap: int = 1  # activation planes

    def __post_init__(self) -> None:
        for name in ("pe", "simd", "wp", "ap"):
            if getattr(self, name) < 1:
                raise ConfigError(f"folding {name} must be at least 1, got {getattr(self, name)}")

    @property
    def lanes(self) -> int:
        """Binary multiplications in one cycle."""
        return self.pe * self.simd * self.wp * self.ap


@cache
def divisors(n: int) -> tuple[int, ...]:
    """All divisors of n, ascending."""
    return tuple(d for d in range(1, n + 1) if n % d == 0)


def reference_folding(shape: LayerShape, max_pe: int = 8, max_simd: int = 16) -> Folding:
    """Largest PE and SIMD within the limits: the folding that searches without hardware use."""
    pe = max(d for d in divisors(shape.outputs) if d <= max_pe)
    simd = max(d for d in divisors(shape.inputs) if d <= max_simd)
    return Folding(pe=pe, simd=simd)
