"""What a search method is: hooks that the one training loop calls."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from bitfold.policy import LayerBits

Pass = Callable[[], Tensor]  # one forward pass of the current batch -> task loss, shape ()
Backward = Callable[[Tensor], None]


class Method(ABC):
    """One paper a file. The hooks run in the order in which they stand here."""

    @abstractmethod
    def prepare(self, model: nn.Module) -> None:
        """Swap layers of the pretrained float model, in place."""

    def penalty(self, model: nn.Module) -> Tensor | None:
        """What is added to the task loss; scalar, or None for nothing."""
        return None

    def gradients(self, model: nn.Module, step: int, one_pass: Pass, backward: Backward) -> float:
        """Fill the gradients of step `step` (counted over the whole phase); return the task loss.

        One pass with the penalty by default; a method that needs several passes of the batch
        calls `one_pass` and `backward` several times, and may edit the gradients afterwards.
        """
        loss = one_pass()
        extra = self.penalty(model)
        backward(loss if extra is None else loss + extra)
        return loss.item()

    def after_step(self, model: nn.Module, step: int) -> None:  # noqa: B027  # optional hook
        """Called after the optimiser's step."""

    def after_epoch(self, model: nn.Module, epoch: int) -> None:  # noqa: B027  # optional hook
        """Called after the last step of epoch `epoch` (from 0)."""

    @abstractmethod
    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """The result: bits of every layer, within the budget. Raises: BudgetError."""

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """What the method learned besides, as JSON values for metrics.json."""
        return {}
