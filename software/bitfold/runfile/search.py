"""[search] of the run file: one class a method."""

from typing import Literal

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


class SearchLimpq(TrainedSearch):
    """[search] method = "limpq": learned step sizes as importance, one integer program."""

    method: Literal["limpq"] = Field(description="search method")
    tied: bool = Field(
        default=False, description="one width for weights and activations of a layer"
    )
    alpha: float = Field(default=2.0, gt=0, description="weight importance against activations'")
