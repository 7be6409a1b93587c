"""[search] of BSQ."""

from typing import Annotated, Literal

from pydantic import Field

from bitfold.runfile.search.base import WeightSearch
from bitfold.runfile.section import Bits


class SearchBsq(WeightSearch):
    """[search] method = "bsq": a group lasso that drives whole bit planes to zero.

    Defaults are ours, for runs of some thousand steps; the authors' are in brackets.
    """

    method: Literal["bsq"] = Field(description="search method")
    bits: tuple[Bits, ...] = Field(
        default=(2, 3, 4, 5, 6, 7, 8),
        min_length=1,
        description="candidate bits, with the sign; the search starts from the most",
    )
    epochs: int = Field(default=40, ge=1, description="epochs of the search phase [350]")
    lr: float = Field(default=0.1, gt=0, description="its first learning rate [0.1]")
    alpha: Literal["steer"] | Annotated[float, Field(gt=0)] = Field(
        default="steer",
        description='strength of the group lasso [0.002 to 0.02]; "steer" finds it for the budget',
    )
    interval: int = Field(
        default=5, ge=1, description="epochs from one re-quantisation to the next [50 or 100]"
    )
    reweigh: Literal["memory", "budget", "none"] = Field(
        default="memory",
        description="what a layer's bits count in the lasso: its weights, what a bit of it costs "
        "in the budget's kind, or as much as any other [memory]",
    )
