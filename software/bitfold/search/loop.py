"""The one training loop: every phase of every method goes through `train`."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bitfold.data import DataSet
from bitfold.errors import ConfigError
from bitfold.search import checkpoint
from bitfold.search.batches import batches, epoch_seed, steps_of
from bitfold.search.evaluate import accuracy, reestimate_norms
from bitfold.search.hooks import Hooks
from bitfold.search.progress import Progress


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one phase; names as in the run file."""

    phase: str
    epochs: int
    lr: float
    batch: int
    seed: int
    momentum: float
    weight_decay: float
    label_smoothing: float
    augment: str
    validate: bool = True
    reestimate: bool = False  # BatchNorm statistics, before each validation


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """What a phase leaves besides the model: one entry per epoch, and the time it took."""

    history: list[dict[str, Any]]
    seconds: float


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    hooks: Hooks,
    fabric: Fabric,
    path: Path,
    identity: str,
    progress: Progress,
) -> Trained:
    """Train `model` in place, or continue from the checkpoint at `path`.

    Every epoch ends in a checkpoint, and draws only from a generator seeded by (seed, phase,
    epoch): a run that is killed and started again gives the same weights, bit for bit. `hooks` add
    to the plain loss and step. Raises: ConfigError when the loss is not finite; ArtefactError,
    ConfigError for a checkpoint that is damaged or of other settings.
    """
    optimiser = _optimiser(model, hooks, recipe)
    steps = steps_of(data.train, recipe.batch)
    hooks.start(model, steps * recipe.epochs, recipe.epochs)
    found = checkpoint.read(path, identity, recipe.phase)
    first, spent, history = 0, 0.0, []
    if found is not None:
        model.load_state_dict(found.model)
        optimiser.load_state_dict(found.optimiser)
        hooks.restore(found.hooks)
        first, spent, history = found.epoch, found.seconds, list(found.history)
    phase = _Phase(model, optimiser, data, recipe, hooks, fabric, progress)
    progress.start(recipe.phase, steps * (recipe.epochs - first))
    clock = time.monotonic()
    for epoch in range(first, recipe.epochs):
        entry = phase.epoch(epoch)
        if recipe.reestimate:
            reestimate_norms(model, data.train.x)
        if recipe.validate:
            entry["validation"] = accuracy(model, data.validation)
        history.append(entry)
        checkpoint.Checkpoint(
            identity=identity,
            phase=recipe.phase,
            epoch=epoch + 1,
            seconds=spent + time.monotonic() - clock,
            model=model.state_dict(),
            optimiser=optimiser.state_dict(),
            hooks=hooks.state(),
            history=history,
        ).write(path)
    progress.done()
    return Trained(history, spent + time.monotonic() - clock)


@final
class _Phase:
    """What the epochs of a phase share."""

    def __init__(  # noqa: PLR0917  # private, called once, above
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        data: DataSet,
        recipe: Recipe,
        hooks: Hooks,
        fabric: Fabric,
        progress: Progress,
    ) -> None:
        self.model, self.data, self.recipe = model, data, recipe
        self.hooks, self.fabric, self.progress = hooks, fabric, progress
        self.wrapped, self.optimiser = fabric.setup(model, optimiser)
        self.steps = steps_of(data.train, recipe.batch)
        self.right = self.seen = 0  # training images of this epoch, over all passes

    def epoch(self, epoch: int) -> dict[str, Any]:
        """Train one epoch; return its entry for the history."""
        recipe = self.recipe
        self.model.train()
        self.right = self.seen = 0
        total = 0.0
        seed = epoch_seed(recipe.seed, recipe.phase, epoch)
        drawn = batches(self.data.train, recipe.batch, recipe.augment, seed)
        for i, batch in enumerate(drawn):
            step = epoch * self.steps + i
            self._set_lr(step)
            x, y = self.fabric.to_device(batch)
            loss = self._step(x, y, step)
            total += loss
            self.progress.advance(loss, self.right / self.seen)
        for parameter in self.hooks.after_epoch(self.model, epoch):
            self.optimiser.optimizer.state.pop(parameter, None)
        return {
            "epoch": epoch,
            "loss": total / self.steps,
            "accuracy": self.right / self.seen,
            "lr": self.optimiser.param_groups[0]["lr"],
        }

    def _step(self, x: Tensor, y: Tensor, step: int) -> float:
        """One optimiser step; return the task loss."""
        self.hooks.before_step(self.model, step)
        self.optimiser.zero_grad(set_to_none=True)
        value = self.hooks.gradients(
            self.model, step, lambda: self._pass(x, y, step), self.fabric.backward
        )
        self.hooks.edit_gradients(self.model)
        self.optimiser.step()
        self.hooks.after_step(self.model, step)
        return value

    def _pass(self, x: Tensor, y: Tensor, step: int) -> Tensor:
        """One forward pass; return the loss, which must be finite."""
        out = self.wrapped(x)
        self.right += int((out.argmax(1) == y).sum())
        self.seen += len(y)
        loss = cross_entropy(out, y, label_smoothing=self.recipe.label_smoothing)
        if not torch.isfinite(loss):
            lr = self.optimiser.param_groups[0]["lr"]
            raise ConfigError(
                f"the loss became {loss.item()} in phase {self.recipe.phase!r} at step {step} of "
                f"{self.steps * self.recipe.epochs}, learning rate {lr:.3g}; the checkpoint of the "
                "epoch before is kept. Lower this phase's learning rate in the run file and give "
                "another output folder"
            )
        return loss

    def _set_lr(self, step: int) -> None:
        """Cosine from the recipe's rate to zero."""
        progress = step / (self.steps * self.recipe.epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = (
                self.recipe.lr * group["lr_scale"] * (1 + math.cos(math.pi * progress)) / 2
            )


def _optimiser(model: nn.Module, hooks: Hooks, recipe: Recipe) -> torch.optim.Optimizer:
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
