"""Hooks that the one training loop calls; a search method and its finetuning are made of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn

Pass = Callable[[], Tensor]  # one forward pass of the current batch -> task loss, shape ()
Backward = Callable[[Tensor], None]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Parameters that the optimiser treats alike."""

    parameters: Sequence[nn.Parameter]
    weight_decay: float
    lr_scale: float = 1.0  # times the recipe's learning rate


class Hooks:
    """What a phase adds to plain training. They run in the order in which they stand here.

    What a hook keeps between steps lives in the model's parameters and buffers, or in `state`:
    both are in the checkpoint, and `start` follows from the settings, so that a run that is killed
    goes on to the same result. The whole class adds nothing; a phase without a method uses it.
    """

    def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
        """All trained parameters. Norms, biases and steps (up to one dimension) do not decay."""
        parameters = list(model.parameters())
        return (
            Group(parameters=[p for p in parameters if p.ndim > 1], weight_decay=weight_decay),
            Group(parameters=[p for p in parameters if p.ndim <= 1], weight_decay=0.0),
        )

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """The phase begins, or goes on: it has `steps` steps in `epochs` epochs in all."""

    def before_step(self, model: nn.Module, step: int) -> None:
        """Called before step `step` (counted over the whole phase); schedules are set here."""

    def penalty(self, model: nn.Module) -> Tensor | None:
        """What is added to the task loss; scalar, or None for nothing."""
        return None

    def gradients(self, model: nn.Module, step: int, one_pass: Pass, backward: Backward) -> float:
        """Fill the gradients of step `step`; return the task loss.

        One pass with the penalty by default; a method that needs several passes of the batch
        calls `one_pass` and `backward` several times.
        """
        loss = one_pass()
        extra = self.penalty(model)
        backward(loss if extra is None else loss + extra)
        return loss.item()

    def edit_gradients(self, model: nn.Module) -> None:
        """Change the gradients that all passes and processes have summed up."""

    def after_step(self, model: nn.Module, step: int) -> None:
        """Called after the optimiser's step."""

    def after_epoch(self, model: nn.Module, epoch: int) -> Collection[nn.Parameter]:
        """Called after the last step of epoch `epoch` (from 0).

        Returns parameters whose optimiser state (momentum) starts afresh, since they now mean
        something else. Parameters keep their identity and shape for the whole phase.
        """
        return ()

    def scalars(self, model: nn.Module) -> dict[str, float]:
        """What is worth watching, by name; called after each epoch that is logged."""
        return {}

    def state(self) -> dict[str, Any]:
        """What the next epoch needs besides the model: JSON values and tensors."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the `state` of a checkpoint; called after `start`."""
