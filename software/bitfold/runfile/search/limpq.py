"""[search] of LIMPQ, and of its reverse."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.search.base import Tied, TrainedSearch


class _Indicators(TrainedSearch, Tied):
    """What LIMPQ and its reverse share."""

    alpha: float = Field(default=2.0, gt=0, description="weight importance against activations'")


class SearchLimpq(_Indicators):
    """[search] method = "limpq": learned step sizes as importance, one integer program."""

    method: Literal["limpq"] = Field(description="search method")


class SearchReversed(_Indicators):
    """[search] method = "reversed": LIMPQ's program maximised, to see what its order is worth."""

    method: Literal["reversed"] = Field(description="search method")
