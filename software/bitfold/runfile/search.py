"""[search] of the run file: one class a method."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bitfold.runfile.section import Bits, Section


class _Search(Section):
    bits: tuple[Bits, ...] = Field(
        default=(2, 3, 4, 5, 6), min_length=1, description="candidate bit-widths"
    )
    first_last: Bits | Literal["search"] = Field(
        default=8, description='fixed bits of the first and the last layer, or "search"'
    )

    @model_validator(mode="after")
    def _ascending(self) -> "_Search":
        if list(self.bits) != sorted(set(self.bits)):
            raise ValueError(f"bits must ascend without repetition, got {list(self.bits)}")
        return self


class SearchUniform(_Search):
    """[search] method = "uniform": the most bits, the same everywhere, that the budget allows."""

    method: Literal["uniform"] = Field(description="search method")


class TrainedSearch(_Search):
    """What the methods that train a search phase share."""

    epochs: int = Field(default=5, ge=1, description="epochs of the search phase")
    lr: float = Field(default=0.01, gt=0, description="its first learning rate (cosine)")


class WeightSearch(TrainedSearch):
    """What the methods that search weight bits alone share."""

    a_bits: Bits | None = Field(
        default=None,
        description="bits of every searched activation; else the budget's like_uniform, else 8",
    )


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


class SearchLimpq(TrainedSearch):
    """[search] method = "limpq": learned step sizes as importance, one integer program."""

    method: Literal["limpq"] = Field(description="search method")
    tied: bool = Field(
        default=False, description="one width for weights and activations of a layer"
    )
    alpha: float = Field(default=2.0, gt=0, description="weight importance against activations'")


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
        default=0.1, ge=0, description="lambda, of the budget-aware regulariser [0.01]"
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
        default=None, ge=1, description="at the end of that; else from the number of steps [200]"
    )
    decay: bool = Field(default=False, description="whether gates, masks and scales decay [true]")
    scratch: bool = Field(
        default=False, description="start from random weights, not the float network's [true]"
    )
