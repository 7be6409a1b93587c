"""What the [search] sections of several methods share."""

from typing import Literal

from pydantic import Field, model_validator

from bitfold.runfile.section import Bits, Section


class Search(Section):
    """What all methods share."""

    method: str = Field(description="search method")
    bits: tuple[Bits, ...] = Field(
        default=(2, 3, 4, 5, 6), min_length=1, description="candidate bit-widths"
    )
    first_last: Bits | Literal["search"] = Field(
        default=8, description='fixed bits of the first and the last layer, or "search"'
    )

    @model_validator(mode="after")
    def _ascending(self) -> "Search":
        if list(self.bits) != sorted(set(self.bits)):
            raise ValueError(f"bits must ascend without repetition, got {list(self.bits)}")
        return self


class TrainedSearch(Search):
    """What the methods that train a search phase share."""

    epochs: int = Field(default=5, ge=1, description="epochs of the search phase")
    lr: float = Field(default=0.01, gt=0, description="its first learning rate (cosine)")


class WeightSearch(TrainedSearch):
    """What the methods that search weight bits alone share."""

    a_bits: Bits | None = Field(
        default=None,
        description="bits of every searched activation; else the budget's like_uniform, else 8",
    )


class Tied(Section):
    """What the methods share that may give weights and activations of a layer one width."""

    tied: bool = Field(
        default=False, description="one width for weights and activations of a layer"
    )
