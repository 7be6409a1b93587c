"""[search] of SDQ."""

from typing import Annotated, Literal

from pydantic import Field

from bitfold.runfile.search.base import WeightSearch


class SearchSdq(WeightSearch):
    """[search] method = "sdq": stochastic choice between adjacent widths, then bins pulled tight.

    Defaults are ours: of the paper's only that of ebr is known, and at second hand.
    """

    method: Literal["sdq"] = Field(description="search method")
    bits: tuple[Annotated[int, Field(ge=1, le=8)], ...] = Field(
        default=(1, 2, 3, 4, 5, 6, 7, 8),
        min_length=2,
        description="candidate weight bits; 1 bit is the sign",
    )
    epochs: int = Field(default=20, ge=1, description="epochs of the search phase")
    regulariser: Literal["error", "budget"] = Field(
        default="error",
        description="what lowers bits: cost over the error that it causes, or cost alone",
    )
    estimator: Literal["stochastic", "interpolation"] = Field(
        default="stochastic", description="draw one of two widths, or mix both (for comparison)"
    )
    temperature: float = Field(default=1.0, gt=0, description="of the Gumbel-softmax")
    threshold: float = Field(
        default=0.1, ge=0.01, lt=0.9, description="a layer is fixed lower when its beta is below"
    )
    beta_lr: float = Field(default=0.1, gt=0, description="first learning rate of the betas")
    ebr: float = Field(default=0.1, ge=0, description="strength of the bin regularisation; 0: none")
    ebr_warmup: float = Field(
        default=0.25, ge=0, lt=1, description="share of the finetuning before it sets in"
    )
