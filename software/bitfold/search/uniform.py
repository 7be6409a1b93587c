"""The baseline: the same bits in every searched layer, as many as the budget allows."""

from typing import final

from torch import nn

from bitfold.errors import BudgetError
from bitfold.policy import LayerBits
from bitfold.search.method import Method
from bitfold.search.problem import Problem


@final
class Uniform(Method):
    """Trains nothing; its phase has no epochs."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.found = self._widest()

    def prepare(self, model: nn.Module) -> None:
        """Nothing to swap."""

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Bits of every layer."""
        return self.found

    def _widest(self) -> dict[str, LayerBits]:
        """Raises: BudgetError when even the least candidate costs more."""
        for bits in reversed(self.problem.bits):
            policy = self.problem.uniform(bits)
            if self.problem.keeps(policy):
                return policy
        raise BudgetError(
            f"[budget] cannot be met uniformly: {self.problem.bits[0]} bits everywhere cost "
            + ", ".join(
                f"{budget.costs.total(policy):g} of {budget.limit:g} {budget.costs.kind}"
                for budget in self.problem.budgets
            )
        )
