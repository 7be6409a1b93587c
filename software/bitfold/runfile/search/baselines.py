"""[search] of the baselines."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.search.base import Search, Tied


class SearchUniform(Search):
    """[search] method = "uniform": the most bits, the same everywhere, that the budget allows."""

    method: Literal["uniform"] = Field(description="search method")


class SearchRandom(Search, Tied):
    """[search] method = "random": by chance, of the policies that spend the budget."""

    method: Literal["random"] = Field(description="search method")
    draw: int = Field(default=0, ge=0, description="which of the seed's policies")


class SearchGreedy(Search):
    """[search] method = "greedy": bits are taken where the measured loss suffers least."""

    method: Literal["greedy"] = Field(description="search method")
    images: int = Field(default=512, ge=2, description="training images that a trial looks at")
