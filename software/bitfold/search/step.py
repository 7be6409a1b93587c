"""One training step: the passes of the hooks, their gradients, the optimiser."""

from dataclasses import dataclass
from typing import final

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.quant import processes
from bitfold.search import guard
from bitfold.search.distill import TaskLoss, full_precision
from bitfold.search.hooks import Hooks
from bitfold.search.parallel import average_gradients
from bitfold.search.recipe import Recipe
from bitfold.search.schedule import factor
from bitfold.search.steps import limit, steps_in
from bitfold.search.whole_norm import whole_batch_norms


@final
@dataclass(frozen=True)
class Outcome:
    """Of one step: task loss, images classified rightly and images seen, over all passes."""

    loss: float
    right: int
    seen: int
    lr: float


@final
class Stepper:
    """Trains `model` in place, one batch a call; what the steps of a phase share.

    The model and the batches are on the fabric's device.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        *,
        hooks: Hooks,
        fabric: Fabric,
        steps: int,
        teacher: nn.Module | None = None,
    ) -> None:
        self.model, self.recipe, self.hooks, self.fabric = model, recipe, hooks, fabric
        self.steps = steps
        self.forward = torch.compile(model) if recipe.compile else model
        self.optimiser = optimiser(model, hooks, recipe)
        self.trained = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.limited = self._limited()
        self.loss = TaskLoss(
            label_smoothing=recipe.label_smoothing,
            weight=recipe.distill,
            temperature=recipe.temperature,
            teacher=teacher,
            fabric=fabric,
        )
        self.right = torch.zeros((), dtype=torch.int64, device=fabric.device)
        self.seen = 0

    def __call__(self, x: Tensor, y: Tensor, step: int) -> Outcome:
        """Step `step` of the phase, on this process's images x (N, C, H, W) and labels y (N,).

        Raises: ConfigError when the loss or the gradients are not finite.
        """
        self.right.zero_()
        self.seen = 0
        self._set_rate(step)
        self.hooks.before_step(self.model, step)
        self.optimiser.zero_grad(set_to_none=True)
        self.loss.begin(x)
        with whole_batch_norms():
            loss = self.hooks.gradients(
                self.model, step, lambda: self._pass(x, y, step), self.fabric.backward
            )
        average_gradients([p for p in self.model.parameters() if p.requires_grad])
        self.hooks.edit_gradients(self.model)
        for steps, lr in self.limited:
            limit(steps, lr, self.recipe.momentum)
        norm = guard.gradient_norm(self.trained, self.recipe.clip_norm)
        guard.check_gradients(norm, self.where(step))
        self.optimiser.step()
        self.hooks.after_step(self.model, step)
        return self._outcome(loss)

    def _limited(self) -> list[tuple[list[nn.Parameter], float]]:
        """The steps of quantisers in each of the optimiser's groups, and its greatest rate."""
        steps = {id(step) for step in steps_in(self.model)}
        return [
            ([p for p in group["params"] if id(p) in steps], self.recipe.lr * group["lr_scale"])
            for group in self.optimiser.param_groups
        ]

    def _outcome(self, loss: float) -> Outcome:
        """Of all processes together."""
        right, seen = int(self.right), self.seen
        if (count := processes.count()) > 1:
            own = torch.tensor([loss / count, right, seen], dtype=torch.float64)
            loss, right, seen = processes.total(own.to(self.right.device)).tolist()
        return Outcome(loss, int(right), int(seen), self.rate)

    def where(self, step: int) -> str:
        """The place of a step, for messages."""
        return (
            f"phase {self.recipe.phase!r} at step {step} of {self.steps}, "
            f"learning rate {self.rate:.3g}"
        )

    @property
    def rate(self) -> float:
        """Learning rate of the first group."""
        return float(self.optimiser.param_groups[0]["lr"])

    def _pass(self, x: Tensor, y: Tensor, step: int) -> Tensor:
        """One forward pass; return the loss, which must be finite."""
        with self.fabric.autocast():
            out = full_precision(self.forward(x))
        self.right += (out.detach().argmax(1) == y).sum()
        self.seen += len(y)
        loss = self.loss(out, y)
        guard.check_loss(processes.mean(loss.detach()), self.where(step))
        return loss

    def _set_rate(self, step: int) -> None:
        times = factor(self.recipe, step, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.lr * group["lr_scale"] * times


def optimiser(model: nn.Module, hooks: Hooks, recipe: Recipe) -> torch.optim.SGD:
    """SGD with Nesterov momentum over the groups that the hooks name."""
    groups = [
        {
            "params": list(group.parameters),
            "weight_decay": group.weight_decay,
            "lr_scale": group.lr_scale,
        }
        for group in hooks.groups(model, recipe.weight_decay)
    ]
    return torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0
    )
