"""[search] of DQMQ."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.search.base import TrainedSearch


class SearchDqmq(TrainedSearch):
    """[search] method = "dqmq": a policy that picks the bits for each input, few modes in all.

    Defaults are ours; the paper's are not known.
    """

    method: Literal["dqmq"] = Field(description="search method")
    estimator: Literal["gumbel", "expected", "reinforce"] = Field(
        default="gumbel", description="how the policy's gradient is estimated"
    )
    head: Literal["gaussian", "categorical"] = Field(
        default="gaussian", description="a layer's distribution: two outputs, or one a candidate"
    )
    blind: bool = Field(default=False, description="the baseline: a policy that sees no input")
    policy_lr: float = Field(default=0.01, gt=0, description="the policy's first learning rate")
    warm_up: float = Field(
        default=0.4, ge=0, lt=1, description="share of the epochs at random bits, before the policy"
    )
    strength: float = Field(default=2.0, gt=0, description="of the budget, against the loss")
    entropy: float = Field(
        default=0.02, ge=0, description="bonus for undecided policies, falling to zero"
    )
    modes: int = Field(default=4, ge=1, le=64, description="most precision modes of the network")
    least_share: float = Field(
        default=0.05, gt=0, lt=1, description="of the inputs that a mode must serve"
    )
