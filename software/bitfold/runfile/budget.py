"""[budget] of the run file."""

from typing import Literal, Self

from pydantic import Field, model_validator

from bitfold.runfile.section import Bits, Section

BudgetKind = Literal["average_bits", "size", "bitops", "luts", "cycles"]


class BudgetLimit(Section):
    """What the bits may cost: `value`, or `like_uniform` to take it from a width."""

    kind: BudgetKind = Field(
        description="average_bits (over weights and over activations, averaged), size (bits of all "
        "weights), bitops (of a frame), luts (all layers), cycles (of the slowest layer)"
    )
    value: float | None = Field(default=None, gt=0, description="the limit, in the kind's unit")
    like_uniform: Bits | None = Field(
        default=None, description="limit = the cost of this width everywhere that is searched"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.like_uniform is None):
            raise ValueError("give exactly one of 'value' and 'like_uniform'")
        return self


class BudgetSection(BudgetLimit):
    """[budget]: the cost that is to be spent; the policy keeps the limits in `also` too."""

    also: tuple[BudgetLimit, ...] = Field(
        default=(), description='further limits, as in [{kind = "size", like_uniform = 3}]'
    )
