"""What is added or averaged, on one grid in every mode.

Sums need both branches on one grid, and a residual stream passes through blocks of several plane
counts; so its quantisers keep their 8 bits in every mode, as they do at every policy of the other
methods.
"""

from typing import final

from torch import Tensor, nn

from bitfold.quant import grids
from bitfold.quant.convert import GRID_BITS, swap
from bitfold.quant.lsq import LSQ


@final
class GridQuantiser(nn.Module):
    """A module of the float network and the quantiser of what it gives."""

    def __init__(self, plain: nn.Module, *, signed: bool) -> None:
        super().__init__()
        self.plain = plain
        self.quantiser = LSQ((GRID_BITS,), signed=signed, power_of_two=True)
        self.quantiser.of_batch = True
        self.rows: int | None = None  # as in `PlaneLayer`

    def forward(self, x: Tensor) -> Tensor:
        """Shape as x."""
        value: Tensor = self.quantiser(self.plain(x), self.rows)[0]
        return value


def put_grids(model: nn.Module) -> None:
    """Quantise what the plain float `model` adds or averages, in place."""
    for grid in grids(model):
        swap(model, grid.name, GridQuantiser(model.get_submodule(grid.name), signed=grid.signed))


def grids_in(model: nn.Module) -> dict[str, GridQuantiser]:
    """What `put_grids` has put, by module path."""
    return {name: m for name, m in model.named_modules() if isinstance(m, GridQuantiser)}
