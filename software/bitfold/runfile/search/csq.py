"""[search] of CSQ."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.search.base import WeightSearch
from bitfold.runfile.section import Bits


class SearchCsq(WeightSearch):
    """[search] method = "csq": gates of bits and of layers' bits that grow hard.

    Defaults are ours, for runs of some thousand steps; the authors' are in brackets.
    """

    method: Literal["csq"] = Field(description="search method")
    bits: tuple[Bits, ...] = Field(
        default=(2, 3, 4, 5, 6, 7, 8), min_length=1, description="candidate bits, with the sign"
    )
    epochs: int = Field(default=60, ge=1, description="epochs of the search phase")
    lr: float = Field(default=0.1, gt=0, description="its first learning rate (cosine)")
    strength: float = Field(
        default=0.03, ge=0, description="first lambda of the budget-aware regulariser [0.01]"
    )
    growth: float = Field(
        default=30.0, ge=1, description="times which lambda grows while masks are soft [1]"
    )
    reweigh: Literal["memory", "budget", "none"] = Field(
        default="memory",
        description="what a layer counts in the mean of bits: its weights, what a bit of it costs "
        "in the budget's kind, or as much as any other [none]",
    )
    start: Literal["symmetric", "official"] = Field(
        default="symmetric",
        description="logits of bits at the start: +margin or -margin, or 1 or 0 [official]",
    )
    margin: float = Field(default=0.1, gt=0, description="distance of logits from the threshold")
    soft_share: float = Field(
        default=5 / 6, gt=0, le=1, description="of the steps, in which masks are soft [5/6; 0.99]"
    )
    end_temperature: float | None = Field(
        default=None,
        ge=1,
        description="at the end of that, and on by the same law [200]; else 200, and then 30000 at "
        "the end",
    )
    decay: bool = Field(default=False, description="whether gates, masks and scales decay [true]")
    scratch: bool = Field(
        default=False, description="start from random weights, not the float network's [true]"
    )
