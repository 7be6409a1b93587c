"""The one training loop: every phase of every method goes through `train`."""

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bitfold.data import DataSet
from bitfold.data.augment import augment
from bitfold.errors import ConfigError
from bitfold.search import checkpoint
from bitfold.search.evaluate import accuracy, reestimate_norms
from bitfold.search.method import Method
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
    method: Method | None,
    fabric: Fabric,
    path: Path,
    identity: str,
    progress: Progress,
) -> Trained:
    """Train `model` in place, or continue from the checkpoint at `path`.

    Every epoch ends in a checkpoint, and draws only from a generator seeded by (seed, phase,
    epoch): a run that is killed and started again gives the same weights, bit for bit. Without a
    `method` the loss is the task's alone. Raises: ConfigError when the loss is not finite;
    ArtefactError, ConfigError for a checkpoint that is damaged or of other settings.
    """
    optimiser = _optimiser(model, recipe)
    found = checkpoint.read(path, identity, recipe.phase)
    first, spent, history = 0, 0.0, []
    if found is not None:
        model.load_state_dict(found.model)
        optimiser.load_state_dict(found.optimiser)
        first, spent, history = found.epoch, found.seconds, list(found.history)
    wrapped, optimiser = fabric.setup(model, optimiser)
    steps = max(1, len(data.train) // recipe.batch)
    progress.start(recipe.phase, steps * (recipe.epochs - first))
    clock = time.monotonic()
    for epoch in range(first, recipe.epochs):
        model.train()
        entry = _epoch(model, wrapped, optimiser, data, recipe, epoch, method, fabric, progress)
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
            history=history,
        ).write(path)
    progress.done()
    return Trained(history, spent + time.monotonic() - clock)


def _epoch(
    model: nn.Module,
    wrapped: nn.Module,
    optimiser: torch.optim.Optimizer,
    data: DataSet,
    recipe: Recipe,
    epoch: int,
    method: Method | None,
    fabric: Fabric,
    progress: Progress,
) -> dict[str, Any]:
    steps = max(1, len(data.train) // recipe.batch)
    right = seen = 0
    total = 0.0
    for i, (x, y) in enumerate(_batches(data, recipe, epoch)):
        step = epoch * steps + i
        lr = recipe.lr * (1 + math.cos(math.pi * step / (steps * recipe.epochs))) / 2
        for group in optimiser.param_groups:
            group["lr"] = lr
        x, y = fabric.to_device((x, y))

        def one_pass(x: Tensor = x, y: Tensor = y, step: int = step, lr: float = lr) -> Tensor:
            nonlocal right, seen
            out = wrapped(x)
            right += int((out.argmax(1) == y).sum())
            seen += len(y)
            loss = cross_entropy(out, y, label_smoothing=recipe.label_smoothing)
            if not torch.isfinite(loss):
                raise ConfigError(
                    f"the loss became {loss.item()} in phase {recipe.phase!r}, step {step} (epoch "
                    f"{epoch}), at learning rate {lr:.3g}; the checkpoint of the epoch before is "
                    "kept. Lower the phase's learning rate and use another output folder"
                )
            return loss

        optimiser.zero_grad(set_to_none=True)
        if method is None:
            task = one_pass()
            fabric.backward(task)
            loss = task.item()
        else:
            loss = method.gradients(model, step, one_pass, fabric.backward)
        optimiser.step()
        if method is not None:
            method.after_step(model, step)
        total += loss
        progress.advance(loss, right / seen)
    if method is not None:
        method.after_epoch(model, epoch)
    return {"epoch": epoch, "loss": total / steps, "accuracy": right / seen, "lr": lr}


def _batches(data: DataSet, recipe: Recipe, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled, changed batches of equal size; the remainder of an epoch is left out."""
    generator = torch.Generator().manual_seed(_seed(recipe.seed, recipe.phase, epoch))
    torch.manual_seed(_seed(recipe.seed, recipe.phase, epoch))  # for dropout and the like
    count = len(data.train)
    order = torch.randperm(count, generator=generator)
    batch = min(recipe.batch, count)
    for start in range(0, count - batch + 1, batch):
        part = order[start : start + batch]
        yield augment(data.train.x[part], recipe.augment, generator), data.train.y[part]


def _seed(seed: int, phase: str, epoch: int) -> int:
    """A generator seed that differs between phases and epochs."""
    text = f"{seed}/{phase}/{epoch}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum; norms, biases and steps (up to one dimension) do not decay."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0
    )
